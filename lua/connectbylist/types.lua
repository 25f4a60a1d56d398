---@meta
-- Types of connectbylist for editors (LuaCATS, as lua-language-server reads them). Nothing requires this file.
-- A failure of the network is returned as `nil, message, code`; `code` is the name of an errno or of a
-- resolver's code. Times are seconds.

-- `T?` is a value that a program has to check. The report of a connect has no `?`, although a connect that
-- succeeds returns none: an editor cannot know which it was, and would object to each use of the report.

---@alias connectbylist.Family "inet"|"inet6"|"unix"
---@alias connectbylist.Outcome "connected"|"refused"|"unreachable"|"timed_out"|"reset"|"failed"|"superseded"|"cancelled"|"rejected"|"not_started"
---@alias connectbylist.DelayReason "pair"|"population"|"loopback"|"neighbour"|"given"|"default"
---@alias connectbylist.ReadFormat "l"|"L"|"a"|"n"|"c"|"*l"|"*L"|"*a"|"*n"|"*c"|integer

---What an address list takes: `"192.0.2.1:80"`, `"[fe80::1%eth0]:80"`, `"name:https"`, an address, a table, a test
---endpoint, or another list.
---@alias connectbylist.Entry string|connectbylist.Address|connectbylist.EntryTable|connectbylist.TestEndpoint|connectbylist.AddressList

---@class connectbylist.EntryTable
---@field host? string an IP address or a host name; `addr` and `ip` are other names of it
---@field addr? string
---@field ip? string
---@field port? integer|string 1 to 65535, or the name of a service
---@field scope? string|integer the interface of a link-local address
---@field unix? string a Unix path; `"@name"` is abstract
---@field srv? string a name whose SRV records give the targets; without host and port

---@class connectbylist.Address
---@field host string the IP address, or the Unix path
---@field port integer
---@field family connectbylist.Family
---@field scope? string the interface of a link-local address
---@field mapped fun(self: connectbylist.Address): connectbylist.Address the v4-mapped form of an IPv4 address
---@field unmapped fun(self: connectbylist.Address): connectbylist.Address the IPv4 address inside a v4-mapped one
---@operator concat(any): string

---The name of a host in a list, until it is looked up.
---@class connectbylist.Name
---@field host? string
---@field port? integer|string
---@field srv? string in place of these: a name with SRV records

---@class connectbylist.AddressList
---@field [integer] connectbylist.Address|connectbylist.Name
---@field add fun(self: connectbylist.AddressList, entry: connectbylist.Entry, port?: integer|string): connectbylist.AddressList?, string?, string?
---@field remove fun(self: connectbylist.AddressList, position: integer): connectbylist.Address|connectbylist.Name|nil
---@field clear fun(self: connectbylist.AddressList): connectbylist.AddressList
---@field history fun(self: connectbylist.AddressList): connectbylist.HistoryItem[]
---@field forget fun(self: connectbylist.AddressList): connectbylist.AddressList
---@operator len: integer

---@class connectbylist.HistoryItem
---@field address connectbylist.Address
---@field connected boolean
---@field successes integer
---@field failures integer
---@field round_trip? number seconds, smoothed
---@field code? string of its last failure
---@field age? number seconds since that failure

---@class connectbylist.Options
---@field timeout? number the deadline for everything; nil: none
---@field attempt_delay? number silence before the next attempt, 0.01 to 60; nil: learned, else 0.15
---@field minimum_delay? number the floor of that delay, 0.01 to 60; 0.01 unless set
---@field attempt_timeout? number the bound on one attempt
---@field pace? "accelerating"|"steady"|"parallel"|"sequential"
---@field order? "likely"|"given"|"random"
---@field seed? integer of `order = "random"`
---@field hedge? number a second socket to a single remote that is silent for so long
---@field retry? number try the list again so long after the round began, until the deadline
---@field interleave? boolean families take turns
---@field in_flight? integer attempts at once, 64 unless set
---@field family? "any"|connectbylist.Family
---@field local_addresses? (string|connectbylist.Address)[]|false addresses to connect from; false: the route's choice
---@field interface? string connect through this device
---@field socket? table<string, any> socket options, set on every attempt before its SYN
---@field mptcp? boolean try Multipath TCP, fall back to TCP
---@field validate? fun(sock: connectbylist.Socket): any, any is this peer the one wanted? `true, value` returns the value in place of the socket
---@field on_event? fun(event: connectbylist.Event) called for each event of the race, as it happens
---@field wait? connectbylist.Waiter how to wait; blocks unless set

---@class connectbylist.Event
---@field time number seconds since the call
---@field event string
---@field attempt? integer
---@field local_address? connectbylist.Address
---@field remote_address? connectbylist.Address
---@field name? string
---@field count? integer
---@field code? string

---What a waiter waits for: an operation, a socket, or a sleep.
---@class connectbylist.Waitable
---@field pollfd fun(self: connectbylist.Waitable): integer? the descriptor; nil: only time
---@field events fun(self: connectbylist.Waitable): "r"|"w"|"rw"
---@field timeout fun(self: connectbylist.Waitable): number? seconds; nil: for ever

---@alias connectbylist.Waiter fun(object: connectbylist.Waitable)

---@class connectbylist.Socket: connectbylist.Waitable
---@field read fun(self: connectbylist.Socket, ...: connectbylist.ReadFormat): string|number|nil, string?, string?
---@field receive_any fun(self: connectbylist.Socket, max?: integer): string?, string?, string?
---@field lines fun(self: connectbylist.Socket, ...: connectbylist.ReadFormat): fun(): string|number|nil
---@field write fun(self: connectbylist.Socket, ...: string|number): connectbylist.Socket?, string?, string?, integer?
---@field flush fun(self: connectbylist.Socket): boolean?, string?, string?
---@field setvbuf fun(self: connectbylist.Socket, mode: "no"|"full"|"line", size?: integer): boolean?, string?, string?
---@field close fun(self: connectbylist.Socket): boolean?, string?, string?
---@field shutdown fun(self: connectbylist.Socket, how?: "read"|"write"|"both"|"send"|"receive"): boolean?, string?, string?
---@field local_address fun(self: connectbylist.Socket): connectbylist.Address?, string?, string?
---@field remote_address fun(self: connectbylist.Socket): connectbylist.Address?, string?, string?
---@field name fun(self: connectbylist.Socket): string? the host name of the entry that won
---@field alive fun(self: connectbylist.Socket): boolean, string?
---@field buffered fun(self: connectbylist.Socket): integer bytes that `read` can take without a system call
---@field setmaxline fun(self: connectbylist.Socket, bytes: integer): connectbylist.Socket the longest line
---@field report fun(self: connectbylist.Socket): connectbylist.Report nil for a socket of `net.wrap`, and for one that is not connected
---@field settimeout fun(self: connectbylist.Socket, seconds?: number, mode?: "b"|"t"): connectbylist.Socket the bound of each read and write
---@field gettimeout fun(self: connectbylist.Socket): number?
---@field setdeadline fun(self: connectbylist.Socket, seconds?: number): connectbylist.Socket from now, for all reads and writes together
---@field setwait fun(self: connectbylist.Socket, waiter?: connectbylist.Waiter): connectbylist.Socket
---@field setoption fun(self: connectbylist.Socket, name: string, value?: any): connectbylist.Socket?, string?, string?
---@field getoption fun(self: connectbylist.Socket, name: string): any, string?, string?
---@field bind fun(self: connectbylist.Socket, host: string|connectbylist.Address, port?: integer): connectbylist.Socket?, string?, string?
---@field getfamily fun(self: connectbylist.Socket): connectbylist.Family?, string?, string?
---@field connected fun(self: connectbylist.Socket): boolean
---@field getfd fun(self: connectbylist.Socket): integer
---@field setfd fun(self: connectbylist.Socket, fd: -1) lets go of the descriptor
---@field detach fun(self: connectbylist.Socket, with_rest?: boolean): integer?, string?, string?
---@field pollfd fun(self: connectbylist.Socket): integer
---@field events fun(self: connectbylist.Socket): "r"|"w"
---@field timeout fun(self: connectbylist.Socket): number?
---@field send fun(self: connectbylist.Socket, data: string|number, i?: integer, j?: integer): number?, string?, number?
---@field receive fun(self: connectbylist.Socket, pattern?: "*a"|"*l"|integer, prefix?: string): string?, string?, string?
---@field getpeername fun(self: connectbylist.Socket): string?, string|integer, string?
---@field getsockname fun(self: connectbylist.Socket): string?, string|integer, string?
---@field getstats fun(self: connectbylist.Socket): number?, number|string, number? bytes received and sent, age in seconds
---@field setstats fun(self: connectbylist.Socket, received?: number, sent?: number, age?: number): number?, string?
---@field dirty fun(self: connectbylist.Socket): boolean
---@field class string

---@class connectbylist.Operation: connectbylist.Waitable
---@field step fun(self: connectbylist.Operation): connectbylist.Socket|false|any, string?, string?, connectbylist.Report false: it goes on
---@field pollfd fun(self: connectbylist.Operation): integer one descriptor for the whole race
---@field events fun(self: connectbylist.Operation): "r"
---@field timeout fun(self: connectbylist.Operation): number? seconds until it wants a step
---@field cancel fun(self: connectbylist.Operation) the next step returns ECANCELED
---@field report fun(self: connectbylist.Operation): connectbylist.Report? nil until it has ended
---@field close fun(self: connectbylist.Operation): boolean

---@class connectbylist.Attempt
---@field local_address? connectbylist.Address
---@field remote_address connectbylist.Address
---@field entry? integer the place in the list
---@field name? string the host name that it came from
---@field rank integer
---@field reasons string[]
---@field chance number
---@field hedge? boolean
---@field delay? number
---@field delay_reason? connectbylist.DelayReason
---@field started? number
---@field ended? number
---@field outcome connectbylist.Outcome
---@field code? string
---@field resent? integer

---The answer to one question about a name: each family is asked for separately.
---@class connectbylist.NameResult
---@field host string
---@field port? integer|string nil: its SRV records were asked for
---@field family "inet"|"inet6"|"srv"
---@field started number
---@field ended? number nil: not answered in time
---@field addresses integer how many the answer had, or how many SRV records
---@field code? string

---@class connectbylist.Report
---@field elapsed number
---@field deadline boolean whether our own deadline ended it
---@field code? string
---@field summary string
---@field mptcp? "mptcp"|"fallback"
---@field winner? integer index in `attempts`
---@field rounds? integer nil if nothing was tried
---@field not_started? integer how many pairs never started
---@field names connectbylist.NameResult[]
---@field attempts connectbylist.Attempt[]
---@field table fun(self: connectbylist.Report): table
---@field json fun(self: connectbylist.Report): string
---@field text fun(self: connectbylist.Report, options?: connectbylist.TextOptions): string
---@field svg fun(self: connectbylist.Report, options?: connectbylist.SVGOptions): string

---@class connectbylist.TextOptions
---@field file? file* the text is for this file: its terminal's width, and colours
---@field columns? integer
---@field rows? integer
---@field ascii? boolean
---@field color? boolean

---@class connectbylist.SVGOptions
---@field theme? "light"|"dark"|"auto"
---@field rows? integer

---@class connectbylist.Plan
---@field [integer] connectbylist.PlannedPair
---@field names connectbylist.NameToLookUp[]
---@field text fun(self: connectbylist.Plan, options?: connectbylist.TextOptions): string

---@class connectbylist.PlannedPair
---@field rank integer
---@field local_address? connectbylist.Address
---@field remote_address connectbylist.Address
---@field chance number 0 to 1
---@field reasons string[]
---@field entry? integer the place in the list
---@field delay? number
---@field delay_reason? connectbylist.DelayReason

---@class connectbylist.NameToLookUp
---@field host string
---@field port? integer|string nil: its SRV records will be asked for
---@field entry integer the place in the list

---@class connectbylist.LocalAddress
---@field address connectbylist.Address
---@field prefix integer
---@field interface? string
---@field flags table<"deprecated"|"temporary"|"home"|"tentative", true>

---@class connectbylist
---@field version string
---@field address_list fun(entries?: string|connectbylist.Entry[], default_port?: integer|string): connectbylist.AddressList, string?, string? nil, message, code for a malformed entry
---@field address fun(host: string, port?: integer|string): connectbylist.Address?, string?, string?
---@field connect_by_list fun(sock_or_list: connectbylist.Socket|connectbylist.AddressList|string|connectbylist.Entry[], list_or_options?: connectbylist.AddressList|string|connectbylist.Entry[]|connectbylist.Options, options?: connectbylist.Options): connectbylist.Socket?, string?, string?, connectbylist.Report
---@field connect_by_name fun(host: string, service: integer|string, options?: connectbylist.Options): connectbylist.Socket?, string?, string?, connectbylist.Report
---@field resolve fun(host: string|{ srv: string }, service?: integer|string|connectbylist.Options, options?: connectbylist.Options): connectbylist.AddressList?, string?, string?
---@field start fun(list: connectbylist.AddressList|string|connectbylist.Entry[], options?: connectbylist.Options): connectbylist.Operation?, string?, string?, connectbylist.Report
---@field sleep fun(seconds: number)
---@field now fun(): number the monotonic clock
---@field setwait fun(waiter?: connectbylist.Waiter)
---@field explain fun(list: connectbylist.AddressList|string|connectbylist.Entry[], options?: connectbylist.Options): connectbylist.Plan?, string?, string?
---@field local_addresses fun(): connectbylist.LocalAddress[]?, string?, string?
---@field socket fun(family?: connectbylist.Family): connectbylist.Socket?, string?, string?
---@field wrap fun(fd: integer): connectbylist.Socket?, string?, string?

---@class connectbylist.TestEndpoint
---@field address fun(self: connectbylist.TestEndpoint): connectbylist.Address
---@field accepted fun(self: connectbylist.TestEndpoint, count?: integer, seconds?: number): integer
---@field received fun(self: connectbylist.TestEndpoint, connection?: integer): string?
---@field failures fun(self: connectbylist.TestEndpoint): string[]
---@field set fun(self: connectbylist.TestEndpoint, options: connectbylist.ProxyOptions): connectbylist.TestEndpoint
---@field close fun(self: connectbylist.TestEndpoint): boolean?

---@class connectbylist.Where
---@field address? string an IP address of this machine; 127.0.0.1 unless set
---@field port? integer
---@field unix? string a Unix path that does not exist yet; `"@name"` is abstract
---@field after? number seconds until it begins

---@class connectbylist.Ending: connectbylist.Where
---@field after_bytes? integer after this number of received bytes
---@field after_seconds? number this time after accepting

---@class connectbylist.ProxyOptions: connectbylist.Where
---@field latency? number seconds
---@field jitter? number seconds
---@field rate? integer|false bytes a second
---@field slice? integer|false the most bytes passed on at a time
---@field cut_after? integer|false
---@field hang_after? integer|false
---@field drop? number the share of connections that are reset at once
---@field seed? integer

---@class connectbylist.ScriptStep: table

---@class connectbylist.Steps
---@field expect fun(bytes: string): connectbylist.ScriptStep `*` is any run of bytes
---@field expect_line fun(bytes?: string): connectbylist.ScriptStep
---@field expect_any fun(count: integer): connectbylist.ScriptStep
---@field send fun(bytes: string): connectbylist.ScriptStep
---@field wait fun(seconds: number): connectbylist.ScriptStep
---@field close fun(): connectbylist.ScriptStep
---@field shut fun(): connectbylist.ScriptStep
---@field reset fun(): connectbylist.ScriptStep

---@class connectbylist.testing
---@field echo fun(where?: string|connectbylist.Where): connectbylist.TestEndpoint
---@field discard fun(where?: string|connectbylist.Where): connectbylist.TestEndpoint
---@field accepting fun(where?: string|connectbylist.Where): connectbylist.TestEndpoint
---@field refused fun(where?: string|connectbylist.Where): connectbylist.TestEndpoint
---@field silent fun(where?: string|connectbylist.Where): connectbylist.TestEndpoint
---@field slow fun(seconds: number, where?: string|connectbylist.Where): connectbylist.TestEndpoint
---@field reset fun(where?: string|connectbylist.Ending): connectbylist.TestEndpoint
---@field closing fun(where?: string|connectbylist.Ending): connectbylist.TestEndpoint
---@field script fun(script: connectbylist.ScriptStep[]|connectbylist.ScriptStep[][]): connectbylist.TestEndpoint
---@field proxy fun(target: connectbylist.Entry, options?: connectbylist.ProxyOptions): connectbylist.TestEndpoint
---@field steps connectbylist.Steps
---@field only_loopback fun() for the rest of the state's life its connects to any other address fail with EACCES

---@class connectbylist.simulation
---@field simulate fun(text: string): connectbylist.Event?, connectbylist.Event[], string? how it ended, and all events; nil, message, code for a wrong text
---@field explain fun(text: string): connectbylist.PlannedPair[]?, string?, string?

---@class connectbylist.wait
---@field blocking connectbylist.Waiter
---@field cqueues connectbylist.Waiter in a thread of a cqueues controller
---@field copas connectbylist.Waiter in a thread of copas, version 3 or later
---@field luv connectbylist.Waiter in a coroutine while `uv.run` runs
---@field coroutines fun(yield?: fun(object: connectbylist.Waitable)): connectbylist.Waiter

---@class connectbylist.tls
---@field validate fun(params?: table): fun(sock: connectbylist.Socket): any, any LuaSec's parameters, and `server_name`

---@class connectbylist.luasocket.Options
---@field list? connectbylist.AddressList|string|connectbylist.Entry[] in place of the host of each connect
---@field options? connectbylist.Options of each connect

---A `socket` table for code that was written for LuaSocket; its functions are typed as LuaSocket's own are.
---@class connectbylist.luasocket
---@field new fun(given?: connectbylist.luasocket.Options): connectbylist.luasocket
---@field tcp fun(): table
---@field tcp4 fun(): table
---@field tcp6 fun(): table
---@field connect fun(host: any, port?: integer|string, local_host?: string, local_port?: integer, family?: string): table?, string?
---@field connect4 fun(host: any, port?: integer|string, local_host?: string, local_port?: integer): table?, string?
---@field connect6 fun(host: any, port?: integer|string, local_host?: string, local_port?: integer): table?, string?
---@field select fun(readers?: table, writers?: table, seconds?: number): table, table, string?
---@field gettime fun(): number
---@field sleep fun(seconds: number)
---@field skip fun(count: integer, ...: any): any
---@field try fun(...: any): any
---@field newtry fun(finalizer: function): fun(...: any): any
---@field protect fun(body: function): function
---@field choose fun(functions: table): function
---@field sink fun(kind: string, sock: table): function
---@field source fun(kind: string, sock: table, length?: integer): function
---@field sinkt table
---@field sourcet table
---@field BLOCKSIZE integer
---@field _VERSION string
---@field _SETSIZE integer
---@field _SOCKETINVALID integer
