// Texts as `String`, for messages.
#if !hasFeature(Embedded)
  import ConnectByListCore

  extension EntryError: CustomStringConvertible {
    public var description: String { "\(message)" }
  }

  extension ConnectError: CustomStringConvertible {
    /// `ECONNREFUSED: connection refused after 0.001 s: 2 pairs tried; …`.
    public var description: String {
      var text = TextBuffer()
      text.append(errno)
      text.append(": ")
      text.append(message)
      return String(decoding: text.bytes, as: UTF8.self)
    }
  }

  extension Errno: CustomStringConvertible {
    public var description: String {
      var text = TextBuffer()
      text.append(self)
      return String(decoding: text.bytes, as: UTF8.self)
    }
  }

  extension Endpoint {
    /// `192.0.2.1:80`, `[fe80::1%eth0]:80`. The path of a Unix endpoint is in its list, not here.
    public var text: String {
      var text = TextBuffer()
      text.append(self, scopes: SystemScopes())
      return String(decoding: text.bytes, as: UTF8.self)
    }
  }
#endif
