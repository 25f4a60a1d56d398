--- The waiters of connectbylist.wait: races, reads and sleeps in one thread, under each installed loop.
local core = require "connectbylist.core"
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local wait = require "connectbylist.wait"
local support = require "Tests.Lua.support"

-- What runs functions at once, by loop: the waiter, and a function that runs them to their ends. nil: the
-- loop is not installed.
local loops = {}

function loops.coroutines()
  -- The simplest scheduler: tries all that wait, again and again, and sleeps a millisecond in between.
  return wait.coroutines(), function(bodies)
    local threads = {}
    for i, body in ipairs(bodies) do threads[i] = coroutine.create(body) end
    while #threads > 0 do
      local left = {}
      for _, thread in ipairs(threads) do
        assert(coroutine.resume(thread))
        if coroutine.status(thread) ~= "dead" then left[#left + 1] = thread end
      end
      threads = left
      if #threads > 0 then core.poll(nil, nil, 0.001) end
    end
  end
end

function loops.cqueues()
  local found, cqueues = pcall(require, "cqueues")
  if not found then return end
  -- Outside of a controller cqueues keeps one of its own, with descriptors.
  cqueues.poll(0)
  return wait.cqueues, function(bodies)
    local controller = cqueues.new()
    for _, body in ipairs(bodies) do controller:wrap(body) end
    assert(controller:loop())
    controller:close()
  end
end

function loops.luv()
  local uv = support.luv()
  if not uv then return end
  return wait.luv, function(bodies)
    local count = #bodies
    for _, body in ipairs(bodies) do
      coroutine.wrap(function()
        body()
        count = count - 1
      end)()
    end
    uv.run()
    assert(count == 0, "not all have ended")
  end
end

function loops.copas()
  local found, copas = pcall(require, "copas")
  if not found or tonumber(copas._VERSION:match "%d+") < 3 then return end
  return wait.copas, function(bodies)
    local problem
    for _, body in ipairs(bodies) do
      copas.addthread(function()
        local ok, message = xpcall(body, debug.traceback)
        if not ok then problem = problem or message end
      end)
    end
    copas.loop()
    if problem then error(problem, 0) end
  end
end

-- What has to be installed, where that is not obvious.
local absent = { copas = "copas 3 or later is not installed: luarocks install copas" }

-- For each loop: a spec with its `run`.
local function in_each(what, body)
  for name, open in pairs(loops) do
    it(name .. ": " .. what, function()
      local waiter, run = open()
      if not waiter then return pending(absent[name] or name .. " is not installed") end
      body(function(bodies)
        net.setwait(waiter)
        run(bodies)
        net.setwait(nil)
      end)
    end)
  end
end

describe("waiters", function()
  -- A loop's first use opens descriptors that it keeps.
  local note_descriptors, check_descriptors = support.descriptor_guard()
  local function guarded(run, body)
    run { function() net.sleep(0.001) end }
    note_descriptors()
    body()
    check_descriptors()
  end
  after_each(function() net.setwait(nil) end)

  in_each("200 races with silent endpoints take as long as one", function(run)
    guarded(run, function()
      local silent, echo = { testing.silent(), testing.silent(), testing.silent() }, testing.echo()
      local bodies, slowest, count, done = {}, 0, 200, 0
      -- The attempts end early: copas waits with `select`, for descriptors below 1024.
      local options = { order = "given", pace = "steady", attempt_delay = 0.1, attempt_timeout = 0.15,
        timeout = 10 }
      for i = 1, count do
        bodies[i] = function()
          local began = net.now()
          local sock <close> = assert(net.connect_by_list({ silent[1], silent[2], silent[3], echo },
            options))
          assert(sock:write("line ", i, "\n"))
          assert.equal("line " .. i, sock:read("l"))
          slowest = math.max(slowest, net.now() - began)
          done = done + 1
        end
      end
      local began = net.now()
      run(bodies)
      local total = net.now() - began
      assert.equal(count, done)
      -- 1.0 to 1.3 times the slowest are measured; one after the other they would take 60 s.
      local text = ("%.3f s in all, %.3f s the slowest"):format(total, slowest)
      assert.is_true(total <= 1.5 * slowest, text)
      for _, endpoint in ipairs(silent) do endpoint:close() end
      echo:close()
    end)
  end)

  in_each("names are resolved while others run", function(run)
    guarded(run, function()
      local waits, bodies = 0, {}
      for i = 1, 20 do
        bodies[i] = function()
          -- The name of a service makes it a lookup of a thread.
          local list = assert(net.resolve("localhost", "http", { timeout = 5, family = "inet" }))
          assert.equal("127.0.0.1:80", tostring(list[1]))
          waits = waits + 1
        end
      end
      run(bodies)
      assert.equal(20, waits)
    end)
  end)

  in_each("sleeps and timeouts end in time", function(run)
    guarded(run, function()
      local peer = testing.accepting()
      local sock = support.connected(peer)
      local began, slept, read = net.now(), nil, nil
      run {
        function()
          net.sleep(0.05)
          slept = net.now() - began
        end,
        function()
          sock:settimeout(0.1)
          assert.equal("ETIMEDOUT", select(3, sock:read()))
          read = net.now() - began
        end,
      }
      assert.is_true(slept >= 0.05 and slept < 0.3, slept)
      assert.is_true(read >= 0.1 and read < 0.4, read)
      sock:close()
      peer:close()
    end)
  end)

  in_each("one reads while another writes on the same socket", function(run)
    guarded(run, function()
      local sock, peer = support.echo()
      sock:settimeout(10)
      local text, got = ("x"):rep(2 ^ 22), nil
      run {
        function() got = sock:read(#text) end,
        function() assert(sock:write(text)) end,
      }
      assert.is_true(got == text)
      sock:close()
      peer:close()
    end)
  end)

  in_each("checks in the race yield too", function(run)
    guarded(run, function()
      local good, bad, count = testing.slow(0.03), testing.accepting(), 0
      local bodies = {}
      for i = 1, 5 do
        bodies[i] = function()
          local sock <close> = assert(net.connect_by_list({ bad, good }, {
            order = "given", timeout = 2,
            validate = function(candidate)
              candidate:settimeout(0.1)
              return candidate:write("ping\n") and candidate:read() == "ping"
            end,
          }))
          assert.equal(tostring(good:address()), tostring(sock:remote_address()))
          count = count + 1
        end
      end
      run(bodies)
      assert.equal(5, count)
      good:close()
      bad:close()
    end)
  end)

  in_each("numbers of closed descriptors are used again", function(run)
    guarded(run, function()
      local echo, silent = testing.echo(), testing.silent()
      local count = 0
      run { function()
        for i = 1, 40 do
          local list = i % 2 == 0 and { silent, echo } or { echo }
          local options = { order = "given", attempt_delay = 0.01, timeout = 5 }
          local sock <close> = assert(net.connect_by_list(list, options))
          assert(sock:write("a\n"))
          assert.equal("a", sock:read())
          count = count + 1
        end
      end }
      assert.equal(40, count)
      echo:close()
      silent:close()
    end)
  end)

  it("copas: drives the socket itself, as one of LuaSocket's", function()
    local waiter, run = loops.copas()
    if not waiter then return pending(absent.copas) end
    local copas = require "copas"
    guarded(run, function()
      local slow, lines = testing.slow(0.05), {}
      local bodies, began = {}, net.now()
      for i = 1, 10 do
        bodies[i] = function()
          local sock = support.connected(slow)
          local wrapped = copas.wrap(sock)
          assert(wrapped:send("line " .. i .. "\n"))
          lines[i] = wrapped:receive("*l")
          wrapped:close()
        end
      end
      run(bodies)
      for i = 1, 10 do assert.equal("line " .. i, lines[i]) end
      -- One after the other they would take 0.5 s.
      assert.is_true(net.now() - began < 0.4)
      slow:close()
    end)
  end)

  it("luv: a coroutine that is closed while it waits leaves nothing behind", function()
    local waiter, run = loops.luv()
    if not waiter then return pending("luv is not installed") end
    guarded(run, function()
      local peer = testing.accepting()
      local sock = support.connected(peer)
      net.setwait(waiter)
      local thread = coroutine.create(function() sock:read() end)
      assert(coroutine.resume(thread))
      assert(coroutine.close(thread))
      run { function() net.sleep(0.01) end }
      sock:close()
      peer:close()
    end)
  end)

  it("coroutines: calls the function that it was given", function()
    local got
    local waiter = wait.coroutines(function(object) got = object end)
    local object = {}
    waiter(object)
    assert.equal(object, got)
    assert.has_error(function() wait.coroutines(1) end)
  end)

  it("luv: is loaded outside of coroutines", function()
    if not support.luv() then return pending("luv is not installed") end
    local luv, module = package.loaded.luv, package.loaded["connectbylist.wait"]
    package.loaded.luv, package.loaded["connectbylist.wait"] = nil, nil
    local waiter = require "connectbylist.wait".luv
    local ok, message = coroutine.resume(coroutine.create(waiter), {})
    package.loaded.luv, package.loaded["connectbylist.wait"] = luv, module
    assert.is_false(ok)
    assert.matches("luv has to be loaded outside of coroutines", message)
  end)

  it("blocking: is as no waiter", function()
    local sock, peer = support.echo()
    net.setwait(wait.blocking)
    assert(sock:write("x\n"))
    assert.equal("x", sock:read())
    local began = net.now()
    net.sleep(0.02)
    assert.is_true(net.now() - began >= 0.02)
    sock:settimeout(0.02)
    assert.equal("ETIMEDOUT", select(3, sock:read()))
    sock:close()
    peer:close()
  end)
end)
