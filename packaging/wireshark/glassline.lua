-- Dissector of the Glassline protocol for Wireshark and tshark 4: both dialects of
-- spec/protocol.md, whose clauses are named below.
--
-- Use it for one run:   tshark -X lua_script:glassline.lua -r recording.pcapng -Y glassline
-- or for all:           copy it to the personal Lua plugins folder (Help, About, Folders)
--
-- It takes TCP port 1234 (Edit, Preferences, Protocols, Glassline, or
-- -o glassline.ports:1234,1235), recognises connections on other ports by their first packet, if
-- the first header is whole in it, and is offered under Decode As. What TLS carries it reads alike,
-- if the recording has the secrets of the connection, or tls.keylog_file names them, and what the
-- messages of a WebSocket carry, if the capture has its beginning. What stands in brackets is not in
-- the packet: it follows from the frames before it. After bytes that are no frame, it tries
-- again at the next segment.

local glassline = Proto("glassline", "Glassline chat")

local HEADER_BYTES = 10
local OPENING = "GLASSLINE2"
local GOODBYE = "/exit"
-- Longest payload of a frame (L), and of a tutorial client's first one, its name (T7).
local PAYLOAD_BYTES_MAX = 6 * 16384 + 4096
local NAME_BYTES_MAX = 64
-- Deepest nesting of JSON that is read.
local DEPTH_MAX = 32

glassline.prefs.ports = Pref.range("TCP ports", "1234", "Ports of Glassline servers and taps", 65535)

local fields = {
    dialect = ProtoField.string("glassline.dialect", "Dialect"),
    direction = ProtoField.string("glassline.direction", "Direction"),
    number = ProtoField.uint32("glassline.number", "Frame number in this direction"),
    opening = ProtoField.string("glassline.opening", "Opening"),
    header = ProtoField.string("glassline.header", "Header"),
    length = ProtoField.uint32("glassline.length", "Length of the payload"),
    type = ProtoField.string("glassline.type", "Type"),
    name = ProtoField.string("glassline.name", "Name"),
    from = ProtoField.string("glassline.from", "From"),
    to = ProtoField.string("glassline.to", "To"),
    room = ProtoField.string("glassline.room", "Room"),
    text = ProtoField.string("glassline.text", "Text"),
    json = ProtoField.string("glassline.json", "JSON"),
    exit = ProtoField.string("glassline.exit", "Raw /exit"),
    raw = ProtoField.bytes("glassline.raw", "Bytes that are no frame"),
}
glassline.fields = fields

local not_a_frame = ProtoExpert.new("glassline.not_a_frame", "No frame begins here", expert.group.PROTOCOL,
    expert.severity.WARN)
local not_json = ProtoExpert.new("glassline.not_json", "The payload is not a JSON object", expert.group.PROTOCOL,
    expert.severity.WARN)
glassline.experts = { not_a_frame, not_json }

local http = Dissector.get("http")
local tcp_stream = Field.new("tcp.stream")
-- One for each TLS record, and for each WebSocket frame, of the packet so far.
local tls_record = Field.new("tls.record.length")
local websocket_frame = Field.new("websocket.fin")

-- State of each connection, by tcp.stream. Packets come in order the first time; what a frame is
-- by then is kept in `frames`, since Wireshark dissects again in any order.
local streams = {}
local websockets = {}

function glassline.init()
    streams = {}
    websockets = {}
end

-- JSON ---------------------------------------------------------------------------------------

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }
local REPLACEMENT = "\239\191\189"

-- A character as UTF-8. NUL would end a string in Wireshark, and a lone surrogate is none.
local function utf8(code)
    if code == 0 or (code >= 0xd800 and code <= 0xdfff) then return REPLACEMENT end
    if code < 0x80 then return string.char(code) end
    if code < 0x800 then return string.char(0xc0 + math.floor(code / 64), 0x80 + code % 64) end
    local low = string.char(0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
    if code < 0x10000 then return string.char(0xe0 + math.floor(code / 4096)) .. low end
    return string.char(0xf0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64) .. low
end

-- Reads the string whose opening quote is at `at`; returns it and the place behind it, or nil.
local function json_string(text, at)
    local parts = {}
    at = at + 1
    while true do
        local stop = text:find('["\\]', at)
        if not stop then return nil end
        parts[#parts + 1] = text:sub(at, stop - 1)
        if text:sub(stop, stop) == '"' then return table.concat(parts), stop + 1 end
        local letter = text:sub(stop + 1, stop + 1)
        if letter == "u" then
            local code = tonumber(text:match("^%x%x%x%x", stop + 2) or "", 16)
            if not code then return nil end
            at = stop + 6
            local low = tonumber(text:match("^\\u(d[c-fC-F]%x%x)", at) or text:match("^\\u(D[c-fC-F]%x%x)", at) or "", 16)
            if code >= 0xd800 and code <= 0xdbff and low then
                code = 0x10000 + (code - 0xd800) * 1024 + low - 0xdc00
                at = at + 6
            end
            parts[#parts + 1] = utf8(code)
        else
            if not ESCAPES[letter] then return nil end
            parts[#parts + 1] = ESCAPES[letter]
            at = stop + 2
        end
    end
end

local function skip_space(text, at)
    return text:find("[^ \t\r\n]", at) or #text + 1
end

local json_value

-- Reads the members between brackets; `member` reads one and returns the place behind it, or nil.
local function json_members(text, at, close, member)
    at = skip_space(text, at + 1)
    if text:sub(at, at) == close then return at + 1 end
    while true do
        at = member(at)
        if not at then return nil end
        at = skip_space(text, at)
        local sign = text:sub(at, at)
        if sign == close then return at + 1 end
        if sign ~= "," then return nil end
        at = skip_space(text, at + 1)
    end
end

-- Reads the object at `at`; returns its members that are strings, and the place behind it, or nil.
local function json_object(text, at, depth)
    local object = {}
    local behind = json_members(text, at, "}", function(start)
        if text:sub(start, start) ~= '"' then return nil end
        local key, place = json_string(text, start)
        place = key and skip_space(text, place)
        if not place or text:sub(place, place) ~= ":" then return nil end
        local value
        value, place = json_value(text, skip_space(text, place + 1), depth + 1)
        if type(value) == "string" then object[key] = value end
        return place
    end)
    if behind then return object, behind end
    return nil
end

-- Reads any value; returns a string for strings, something else for the rest, and the place behind
-- it; no place if there is no value.
function json_value(text, at, depth)
    if depth > DEPTH_MAX then return nil end
    local sign = text:sub(at, at)
    if sign == '"' then return json_string(text, at) end
    if sign == "{" then return json_object(text, at, depth) end
    if sign == "[" then
        return nil, json_members(text, at, "]", function(start)
            local _, place = json_value(text, start, depth + 1)
            return place
        end)
    end
    local word = text:match("^true", at) or text:match("^false", at) or text:match("^null", at)
        or text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
    if word then return nil, at + #word end
    return nil
end

local function parse_json(text)
    local at = skip_space(text, 1)
    if text:sub(at, at) ~= "{" then return nil end
    local object, behind = json_object(text, at, 1)
    if object and skip_space(text, behind) > #text then return object end
    return nil
end

-- Connections --------------------------------------------------------------------------------

local function endpoint(address, port)
    return tostring(address) .. " " .. port
end

-- Returns whether a port is one of those of servers.
local function is_server_port(port)
    local text = tostring(glassline.prefs.ports)
    for first, last in text:gmatch("(%d+)%-?(%d*)") do
        local low = tonumber(first)
        if port >= low and port <= (tonumber(last) or low) then return true end
    end
    return false
end

-- The client sends first (D), unless the capture began later: then the ports tell.
local function stream_of(pinfo)
    local key = tcp_stream().value
    local stream = streams[key]
    if not stream then
        local is_answer = is_server_port(pinfo.src_port) and not is_server_port(pinfo.dst_port)
        local client = is_answer and endpoint(pinfo.dst, pinfo.dst_port) or endpoint(pinfo.src, pinfo.src_port)
        stream = { client = client, frames = {}, numbers = { to_server = 0, to_client = 0 } }
        streams[key] = stream
    end
    return stream
end

-- Decides the dialect by the first bytes of the client (D1); `nil` means more are needed, `false`
-- that they are of no dialect. A browser asks for the page of the same port.
local function sniff(bytes)
    if bytes:match("^[0-9 ]") then return "tutorial" end
    if bytes:sub(1, #OPENING) == OPENING then return "event" end
    if OPENING:sub(1, #bytes) == bytes then return nil end
    if bytes:match("^%u+ ") then return "http" end
    if bytes:match("^%u+$") and #bytes < HEADER_BYTES then return nil end
    return false
end

-- Returns the length that a header states (T2), or nil.
local function parse_header(header)
    local digits = header:match("^ *(%d+) *$")
    local length = digits and tonumber(digits)
    return length and length <= PAYLOAD_BYTES_MAX and length or nil
end

-- Returns whether these bytes can begin a header.
local function may_be_header(bytes)
    return bytes:match("^ *%d* *$") ~= nil
end

-- Key of the frame at this place. Places in TLS count from the beginning of each record, those in a
-- WebSocket from that of each message.
local function frame_key(pinfo, place)
    return pinfo.number .. " " .. select("#", tls_record()) .. " " .. select("#", websocket_frame()) .. " " .. place
end

-- What the frame at this place is, decided the first time: its number, and in the tutorial dialect
-- name or text, and whose.
local function remember(stream, pinfo, place, decide)
    local key = frame_key(pinfo, place)
    if not stream.frames[key] then stream.frames[key] = decide() end
    return stream.frames[key]
end

local function next_number(stream, direction)
    stream.numbers[direction] = stream.numbers[direction] + 1
    return stream.numbers[direction]
end

-- A client's first frame is its name (T3); a server sends pairs of name and text (T4).
local function tutorial_role(stream, direction, payload)
    local number = next_number(stream, direction)
    if direction == "to_server" then
        if stream.client_name then return { number = number, role = "text", from = stream.client_name } end
        stream.client_name = payload
        return { number = number, role = "name", from = payload }
    end
    if stream.pair_name then
        local from = stream.pair_name
        stream.pair_name = nil
        return { number = number, role = "text", from = from }
    end
    stream.pair_name = payload
    return { number = number, role = "name", from = payload }
end

-- A request is from the client, whose name `hello`, `welcome` and `renamed` tell.
local function event_role(stream, direction, object)
    local number = next_number(stream, direction)
    if object and (object.type == "hello" and direction == "to_server" or object.type == "welcome") then
        stream.client_name = object.name or stream.client_name
    elseif object and object.type == "renamed" and object.from == stream.client_name then
        stream.client_name = object.to or stream.client_name
    end
    return { number = number, from = direction == "to_server" and stream.client_name or nil }
end

-- Frames -------------------------------------------------------------------------------------

-- Returns the length of the UTF-8 character at `at`, and whether it may be shown: tshark prints
-- columns and fields as they are, and a terminal obeys control characters and changes of direction.
local function character(text, at)
    local first = text:byte(at)
    if first < 0x80 then return 1, first >= 0x20 and first ~= 0x7f or first == 0x0a or first == 0x09 end
    local length = first >= 0xc2 and first <= 0xdf and 2 or first >= 0xe0 and first <= 0xef and 3
        or first >= 0xf0 and first <= 0xf4 and 4 or 1
    local bytes = text:sub(at, at + length - 1)
    if length == 1 or #bytes < length or not bytes:match("^.[\128-\191]+$") then return 1, false end
    local is_control = bytes:match("^\194[\128-\159]$")
    local is_direction = bytes:match("^\226\128[\168-\174]$") or bytes:match("^\226\129[\166-\169]$")
    return length, not is_control and not is_direction
end

-- A text with U+FFFD for each character that is not to be shown, cut after so many characters.
local function visible(text, characters_max)
    if #text <= characters_max and not text:find("[^\t\n -~]") then return text end
    local parts, at = {}, 1
    while at <= #text and #parts < characters_max do
        local length, is_shown = character(text, at)
        parts[#parts + 1] = is_shown and text:sub(at, at + length - 1) or REPLACEMENT
        at = at + length
    end
    if at <= #text then parts[#parts + 1] = "…" end
    return table.concat(parts)
end

-- A text for the column of a packet.
local function shortened(text)
    return (visible(text, 60):gsub("[\t\n]", " "))
end

-- Adds a text as a field. Its bytes are in the packet; what is shown is harmless.
local function add_text(item, field, range, text)
    return item:add(field, range, visible(text, PAYLOAD_BYTES_MAX))
end

local function summarise(pinfo, words)
    local before = pinfo.private["glassline_info"]
    local info = before and before .. " | " .. words or words
    pinfo.private["glassline_info"] = info
    -- A packet with the end of one frame and a whole one is dissected in two calls.
    pinfo.cols.info:clear_fence()
    pinfo.cols.info = info
end

local function begin_tree(tree, range, stream, direction, number, title)
    local item = tree:add(glassline, range, "Glassline, " .. title)
    item:add(fields.dialect, stream.dialect):set_generated()
    item:add(fields.direction, direction):set_generated()
    item:add(fields.number, number):set_generated()
    return item
end

local function tutorial_frame(item, range, frame, pinfo)
    item:add(fields.type, frame.role):set_generated()
    if frame.role == "name" then
        add_text(item, fields.name, range, frame.from)
        summarise(pinfo, "name " .. shortened(frame.from))
    else
        item:add(fields.from, visible(frame.from, NAME_BYTES_MAX)):set_generated()
        add_text(item, fields.text, range, range:raw())
        summarise(pinfo, shortened(frame.from) .. ": " .. shortened(range:raw()))
    end
end

local function event_frame(item, range, object, frame, pinfo)
    add_text(item, fields.json, range, range:raw())
    if not object then
        item:add_proto_expert_info(not_json)
        summarise(pinfo, "no JSON")
        return
    end
    for _, field in ipairs({ "type", "name", "from", "to", "room", "text" }) do
        if object[field] then add_text(item, fields[field], range, object[field]) end
    end
    if frame.from and not object.from then
        item:add(fields.from, visible(frame.from, NAME_BYTES_MAX)):set_generated()
    end
    local words = object.type and shortened(object.type) or "no type"
    local who = object.from or frame.from or object.name
    if who then words = words .. " " .. shortened(who) end
    if object.text then words = words .. ": " .. shortened(object.text) end
    summarise(pinfo, words)
end

-- Dissects the frame at `offset`. Returns the offset behind it; nil and how many bytes more are
-- needed, if it is not whole.
local function dissect_frame(buffer, offset, pinfo, tree, stream, direction)
    local rest = buffer:len() - offset
    local start = buffer:range(offset, math.min(rest, HEADER_BYTES)):raw()
    local place = buffer:offset() + offset
    local is_first = direction == "to_server" and not stream.has_begun
    if is_first and stream.dialect == "event" or (stream.frames[frame_key(pinfo, place)] or {}).is_opening then
        local range = buffer:range(offset, #OPENING)
        local frame = remember(stream, pinfo, place, function()
            return { number = next_number(stream, direction), is_opening = true }
        end)
        stream.has_begun = true
        local item = begin_tree(tree, range, stream, direction, frame.number, "opening of the event dialect")
        item:add(fields.opening, range)
        summarise(pinfo, "opening")
        return offset + #OPENING
    end
    local may_leave = stream.dialect == "tutorial" and direction == "to_server"
    if may_leave and GOODBYE:sub(1, #start) == start:sub(1, #GOODBYE) then
        if rest < #GOODBYE then return nil, DESEGMENT_ONE_MORE_SEGMENT end
        local range = buffer:range(offset, #GOODBYE)
        local frame = remember(stream, pinfo, place, function()
            return { number = next_number(stream, direction), from = stream.client_name }
        end)
        local item = begin_tree(tree, range, stream, direction, frame.number, "raw /exit")
        item:add(fields.exit, range)
        if frame.from then item:add(fields.from, visible(frame.from, NAME_BYTES_MAX)):set_generated() end
        summarise(pinfo, "/exit")
        return offset + #GOODBYE
    end
    if rest < HEADER_BYTES and may_be_header(start) then return nil, DESEGMENT_ONE_MORE_SEGMENT end
    local length = #start == HEADER_BYTES and parse_header(start)
    if not length then
        local range = buffer:range(offset)
        local frame = remember(stream, pinfo, place, function() return { number = next_number(stream, direction) } end)
        local item = begin_tree(tree, range, stream, direction, frame.number, "no frame")
        item:add(fields.raw, range)
        item:add_proto_expert_info(not_a_frame)
        summarise(pinfo, "no frame")
        return buffer:len()
    end
    if rest < HEADER_BYTES + length then return nil, HEADER_BYTES + length - rest end

    stream.has_begun = true
    local payload_range = length > 0 and buffer:range(offset + HEADER_BYTES, length) or nil
    local payload = payload_range and payload_range:raw() or ""
    local is_event = stream.dialect == "event"
    local object = is_event and parse_json(payload) or nil
    local frame = remember(stream, pinfo, place, function()
        if is_event then return event_role(stream, direction, object) end
        return tutorial_role(stream, direction, payload)
    end)
    local range = buffer:range(offset, HEADER_BYTES + length)
    local title = is_event and "event dialect" or "tutorial dialect, " .. frame.role
    local item = begin_tree(tree, range, stream, direction, frame.number, title)
    item:add(fields.header, buffer:range(offset, HEADER_BYTES))
    item:add(fields.length, buffer:range(offset, HEADER_BYTES), length)
    if payload_range and is_event then event_frame(item, payload_range, object, frame, pinfo) end
    if payload_range and not is_event then tutorial_frame(item, payload_range, frame, pinfo) end
    return offset + HEADER_BYTES + length
end

-- Dissects the frames of a buffer. Returns the offset of one that is not whole, and how many bytes
-- more are needed; nothing if all are; 0 alone if there is no frame.
local function dissect_frames(buffer, pinfo, tree, stream)
    local is_client = endpoint(pinfo.src, pinfo.src_port) == stream.client
    local direction = is_client and "to_server" or "to_client"
    if not stream.dialect then
        local bytes = buffer:range(0, math.min(buffer:len(), HEADER_BYTES)):raw()
        -- The beginning of a server's side does not tell, but JSON behind a header does.
        local dialect = sniff(bytes)
        if not is_client and dialect == "tutorial" and buffer:len() > HEADER_BYTES
            and buffer:range(HEADER_BYTES, 1):raw() == "{" then
            dialect = "event"
        end
        if dialect == nil then return 0, DESEGMENT_ONE_MORE_SEGMENT end
        if not dialect then return 0 end
        stream.dialect = dialect
        -- Without its beginning, nothing is an opening.
        stream.has_begun = bytes ~= OPENING
    end
    pinfo.cols.protocol = "Glassline"
    local offset = 0
    while offset < buffer:len() do
        local behind, missing = dissect_frame(buffer, offset, pinfo, tree, stream, direction)
        if not behind then return offset, missing end
        offset = behind
    end
end

function glassline.dissector(buffer, pinfo, tree)
    local stream = stream_of(pinfo)
    local start = buffer:range(0, math.min(buffer:len(), HEADER_BYTES)):raw()
    if not stream.dialect and not stream.is_http and sniff(start) == "http" then stream.is_http = true end
    -- What a WebSocket carries comes back through its heuristic.
    if stream.is_http then
        -- As TCP and TLS set it for the dissector that they call, so that HTTP may ask for more bytes.
        pinfo.can_desegment = 2
        return http:call(buffer, pinfo, tree)
    end
    local rest, missing = dissect_frames(buffer, pinfo, tree, stream)
    if missing then
        pinfo.desegment_offset = rest
        pinfo.desegment_len = missing
    elseif rest then
        return 0
    end
end

-- Takes connections on other ports by the client's first bytes: the opening, or a canonical header
-- (T1) of a name.
local function begins(buffer)
    if buffer:len() < HEADER_BYTES then return false end
    local start = buffer:range(0, HEADER_BYTES):raw()
    local length = start:match("^%d+ +$") and parse_header(start)
    return start == OPENING or length and length > 0 and length <= NAME_BYTES_MAX
end

local function recognise(buffer, pinfo, tree)
    if not begins(buffer) then return false end
    pinfo.conversation = glassline
    glassline.dissector(buffer, pinfo, tree)
    return true
end

-- In TLS the dissector of TLS stays that of the connection, and asks about each record.
local function recognise_in_tls(buffer, pinfo, tree)
    local stream = streams[tcp_stream().value]
    if not (stream and stream.dialect) and not begins(buffer) then return false end
    glassline.dissector(buffer, pinfo, tree)
    return true
end

-- Dissects a message of a WebSocket. Its end need not be that of a frame: the rest of the messages
-- before it is kept, and stands before it.
local function dissect_message(buffer, pinfo, tree, stream)
    local is_client = endpoint(pinfo.src, pinfo.src_port) == stream.client
    local side = is_client and "to_server" or "to_client"
    local key = frame_key(pinfo, 0)
    if not stream.rests[key] then stream.rests[key] = { before = stream.rest[side] } end
    local message = stream.rests[key]
    local whole = buffer
    if #message.before > 0 then
        local bytes = message.before .. buffer:range():raw()
        whole = ByteArray.new(bytes, true):tvb("Glassline across messages")
    end
    local rest, missing = dissect_frames(whole, pinfo, tree, stream)
    if not message.is_known then
        stream.rest[side] = missing and whole:range(rest):raw() or ""
        message.is_known = true
    end
end

-- In a WebSocket the client begins with the opening. Each connection has a state of its own there,
-- apart from that of the HTTP before it.
local function recognise_in_websocket(buffer, pinfo, tree)
    if buffer:len() == 0 then return false end
    local key = tcp_stream().value
    local stream = websockets[key]
    if not stream then
        local start = buffer:range(0, math.min(buffer:len(), #OPENING)):raw()
        if start ~= OPENING:sub(1, #start) then return false end
        local client = endpoint(pinfo.src, pinfo.src_port)
        stream = { client = client, frames = {}, numbers = { to_server = 0, to_client = 0 }, rests = {},
            rest = { to_server = "", to_client = "" } }
        websockets[key] = stream
    end
    dissect_message(buffer, pinfo, tree, stream)
    return true
end

glassline:register_heuristic("tcp", recognise)
glassline:register_heuristic("tls", recognise_in_tls)
glassline:register_heuristic("ws", recognise_in_websocket)

local port_tables = { DissectorTable.get("tcp.port"), DissectorTable.get("tls.port") }
local registered = glassline.prefs.ports
for _, ports in ipairs(port_tables) do ports:add(registered, glassline) end

function glassline.prefs_changed()
    if tostring(registered) == tostring(glassline.prefs.ports) then return end
    for _, ports in ipairs(port_tables) do
        ports:remove(registered, glassline)
        ports:add(glassline.prefs.ports, glassline)
    end
    registered = glassline.prefs.ports
end
