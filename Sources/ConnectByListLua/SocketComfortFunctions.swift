import CConnectByListLua
import ConnectByList
import ConnectByListCore

// What Lua's files have no counterpart of: limits of a socket, and its state.

extension SocketBox {
  /// A read whose value would take more than it may.
  var tooLong: CallError {
    var text = TextBuffer()
    if socket.lineMax < socket.buffered.count && socket.buffered.count < Socket.readMax {
      text.append("a line of more than ")
      text.append(decimal: socket.lineMax)
      text.append(" bytes (setmaxline)")
    } else {
      text.append("a value of more than ")
      text.append(decimal: Socket.readMax)
      text.append(" bytes")
    }
    return .failed(.messageTooLong, text)
  }
}

/// Argument: seconds from now, in which all reads and writes have to end; nil: for ever.
@c @implementation public func cbl_lua_socket_setdeadline(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let span = call.isNil(0) ? .forever : try call.span(0)
    box.socket.finalDeadline = span == .forever ? .distantFuture : Clock.now() + span
    call.addSelf()
  }
}

/// Argument: bytes.
@c @implementation public func cbl_lua_socket_setmaxline(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    box.socket.lineMax = try call.integer(0, "the size", in: 1...Socket.readMax)
    call.addSelf()
  }
}

/// Returns true; or false and the code.
@c @implementation public func cbl_lua_socket_alive(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    do throws(Errno) {
      try box.socket.checkAlive()
      call.add(true)
    } catch {
      call.add(false)
      var code = TextBuffer()
      code.append(error)
      call.add(copying: code)
    }
  }
}

/// How many bytes a read can take without a system call.
@c @implementation public func cbl_lua_socket_buffered(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in call.add(try call.openBox().socket.buffered.count) }
}
