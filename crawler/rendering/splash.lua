-- Loads a fetched page into Splash's browser, and returns it as its scripts leave it.
-- Only literal addresses can be checked here; Splash does not expose the address of a name.
local PRIVATE_ADDRESSES = {
  "^0%.", "^10%.", "^127%.", "^169%.254%.", "^172%.1[6-9]%.", "^172%.2%d%.", "^172%.3[01]%.",
  "^192%.0%.[02]%.", "^192%.168%.", "^198%.1[89]%.", "^198%.51%.100%.", "^203%.0%.113%.",
  "^100%.6[4-9]%.", "^100%.[7-9]%d%.", "^100%.1[01]%d%.", "^100%.12[0-7]%.",
  "^22[4-9]%.", "^23%d%.", "^24%d%.", "^25%d%.",
}
-- The last two match any IPv6 address, and a host with percent-escapes.
local PRIVATE_NAMES = {"^localhost$", "%.localhost$", "%.local$", "^%[", "%%"}
-- The start of the Accept header that QtWebKit sends for pages and frames, and nothing else.
local TAKES_PAGES = "text/html,application/xhtml+xml"

local function matches_any(text, patterns)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then return true end
  end
  return false
end

local function is_private(host)
  host = host:gsub("%.$", "")
  local last = host:match("[^.]*$")
  if not (last:find("^%d+$") or last:find("^0x%x*$")) then
    return matches_any(host, PRIVATE_NAMES)
  end
  -- An IPv4 address. The older forms (WHATWG URL, 3.5) are all refused: 127.1, 0177.0.0.1,
  -- 0x7f000001, 2130706433.
  local is_plain = host:find("^%d+%.%d+%.%d+%.%d+$") and not ("." .. host):find("%.0%d")
  return not is_plain or matches_any(host, PRIVATE_ADDRESSES)
end

function main(splash, args)
  local other_pages, led_to = {}, nil
  splash.images_enabled = false
  splash:set_user_agent(args.user_agent)
  local function may_ask(request)
    if (request.headers["Accept"] or ""):sub(1, #TAKES_PAGES) == TAKES_PAGES then
      other_pages[request.url], led_to = true, request.url
      return false
    end
    local _, _, server = request.url:lower():find("^%a+://([^/?#]+)")
    if server == nil or server == args.server then return true end
    -- Strip the user and password.
    local _, at = server:find(".*@")
    if at then server = server:sub(at + 1) end
    local _, _, host = server:find("^(%[?[^:]*)")
    return not is_private(host)
  end
  splash:on_request(function(request)
    -- Splash would silently ignore an error.
    local ok, may = pcall(may_ask, request)
    if not (ok and may) then request:abort() end
  end)
  splash:autoload(args.watch)
  -- Run concurrently, because set_content returns only when the whole page has loaded.
  splash:call_later(function()
    splash:set_content{args.html, mime_type="text/html; charset=utf-8", baseurl=args.url}
  end, 0)
  local html, last_ms = args.html, 0
  -- The page's own clock ends this loop first, unless the page never started.
  for _ = 1, args.limit_ms / 100 + 10 do
    splash:wait(0.1)
    local state = splash:evaljs("window.__neighbourhoodCrawler && window.__neighbourhoodCrawler()")
    if state then
      -- When a script navigates elsewhere, the request is refused, and Splash shows an error page.
      if state.ms < last_ms or other_pages[splash:url()] or splash:url() == "" then
        return {html=html, settled=false, led_to=led_to or "another page"}
      end
      -- Splash raises an error for invalid text, such as half of a surrogate pair.
      local ok, now = pcall(splash.html, splash)
      html, last_ms = ok and now or html, state.ms
      if state.settled or state.ms > args.limit_ms then
        return {html=html, settled=state.settled}
      end
    end
  end
  return {html=html, settled=false}
end
