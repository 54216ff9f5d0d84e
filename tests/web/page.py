"""A page in a browser, as the person before it uses it: keys, pointer, touch, and what is on the screen."""

import base64
import json
from pathlib import Path

from bidi import COMMAND_S, CommandFailed
from harness import Failure

PAGE_S = 10  # seconds that any single wait in a page may take, unless a check sets another

ENTER, TAB, ESCAPE, SHIFT, ALT, CONTROL = "\ue007", "\ue004", "\ue00c", "\ue008", "\ue00a", "\ue009"
BACKSPACE, UP, DOWN, HOME, END, PAGE_UP, PAGE_DOWN = "\ue003", "\ue013", "\ue015", "\ue011", "\ue010", "\ue00e", "\ue00f"

# Waits in the page: looks again after everything that changes it, so that nothing is missed between two looks.
WAIT = """async (holds, args, timeout_ms) => await new Promise(done => {
    const kinds = ["scroll", "input", "focusin", "focusout", "selectionchange", "resize"];
    const end = value => {
        observer.disconnect();
        clearInterval(interval);
        clearTimeout(timer);
        kinds.forEach(kind => removeEventListener(kind, look, true));
        done(value);
    };
    const look = () => {
        const value = holds(...args);
        if (value) end(value);
    };
    const observer = new MutationObserver(look);
    const interval = setInterval(look, 20);  // for what sends no event, such as a layout
    const timer = setTimeout(() => end(null), timeout_ms);
    observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    kinds.forEach(kind => addEventListener(kind, look, true));
    look();
})"""


class Page:
    """One tab. `user_context` keeps its storage from that of others, as another machine would."""

    def __init__(self, browser, user_context, context):
        self.browser, self.user_context, self.context = browser, user_context, context
        self._session = None

    def go(self, url, wait="complete"):
        self.browser.call("browsingContext.navigate", context=self.context, url=url, wait=wait)

    def reload(self, wait="complete"):
        self.browser.call("browsingContext.reload", context=self.context, wait=wait)

    def activate(self):
        """Brings the tab before the others of its window."""
        self.browser.call("browsingContext.activate", context=self.context)

    def close(self):
        self.browser.call("browsingContext.close", context=self.context)

    def js(self, function, *args):
        """The result of a JavaScript function; values pass as JSON."""
        return self._run(f"return await ({function})(...args);", args)

    def wait(self, holds, *args, what=None, timeout=PAGE_S):
        """Waits until the JavaScript function returns something true; returns it."""
        value = self._run(f"return await ({WAIT})({holds}, ...args);", [args, int(timeout * 1000)], COMMAND_S + timeout)
        if value is None:
            raise Failure(what or f"{holds} {args or ''} within {timeout:g} s", f"the page {self.shown()!r}")
        return value

    def _run(self, body, args, within_s=COMMAND_S):
        declaration = ("async text => { const args = JSON.parse(text);"
                       "  const value = await (async () => { %s })();"
                       "  return JSON.stringify(value ?? null); }" % body)
        answer = self.browser.call(
            "script.callFunction", within_s, functionDeclaration=declaration, awaitPromise=True, userActivation=False,
            arguments=[{"type": "string", "value": json.dumps(args)}], target={"context": self.context})
        if answer["type"] == "exception":
            raise CommandFailed(f"{body}: {answer['exceptionDetails']['text']}")
        return json.loads(answer["result"]["value"])

    def shown(self):
        """The text on the screen, shortened."""
        text = self.js("() => document.body ? document.body.innerText : ''")
        return text if len(text) <= 1200 else f"{text[:600]} ... {text[-600:]}"

    def text(self, selector):
        return self.js("s => document.querySelector(s)?.innerText", selector)

    def texts(self, selector):
        return self.js("s => [...document.querySelectorAll(s)].map(e => e.innerText)", selector)

    def wait_for(self, selector, timeout=PAGE_S):
        """Waits until an element is there and not hidden."""
        self.wait("s => document.querySelector(s)?.checkVisibility()", selector, timeout=timeout,
                  what=f"{selector} on the screen")

    def wait_text(self, selector, text, timeout=PAGE_S):
        """Waits until the element's text contains `text`, in any case."""
        return self.wait("(s, t) => [...document.querySelectorAll(s)].map(e => e.innerText)"
                         ".find(x => x.toLowerCase().includes(t.toLowerCase()))", selector, text, timeout=timeout,
                         what=f"{text!r} in {selector}")

    def keys(self, *presses):
        """Presses keys: each press is one character or key, or several that are held together."""
        actions = []
        for press in presses:
            held = press if isinstance(press, tuple) else (press,)
            actions += [{"type": "keyDown", "value": key} for key in held]
            actions += [{"type": "keyUp", "value": key} for key in reversed(held)]
        self._perform({"type": "key", "id": "keyboard", "actions": actions})

    def type(self, text, *presses):
        """Types a text key by key, then presses keys."""
        self.keys(*text, *presses)

    def click(self, selector):
        self._point(selector, "mouse")

    def tap(self, selector):
        self._point(selector, "touch")

    def tap_at(self, x, y):
        self._press(x, y, "touch")

    def _point(self, selector, kind):
        at = self.wait("s => { const e = document.querySelector(s); if (!e?.checkVisibility()) return null;"
                       "  e.scrollIntoView({block: 'nearest'}); const box = e.getBoundingClientRect();"
                       "  return box.width && [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]; }",
                       selector, what=f"{selector} to {'tap' if kind == 'touch' else 'click'}")
        self._press(*at, kind)

    def _press(self, x, y, kind):
        self._perform({"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]})

    def point_away(self):
        """Moves the pointer into a corner, where it is over nothing."""
        self._perform({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
                       "actions": [{"type": "pointerMove", "x": 0, "y": 0}]})

    def wheel(self, selector, delta_y):
        x, y = self.js("s => { const b = document.querySelector(s).getBoundingClientRect();"
                       "  return [Math.round(b.x + b.width / 2), Math.round(b.y + b.height / 2)]; }", selector)
        self._perform({"type": "wheel", "id": "wheel", "actions": [
            {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": delta_y}]})

    def _perform(self, *sources):
        self.browser.call("input.performActions", context=self.context, actions=list(sources))

    def timezone(self, name):
        self.browser.call("emulation.setTimezoneOverride", contexts=[self.context], timezone=name)

    def viewport(self, width, height):
        self.browser.call("browsingContext.setViewport", context=self.context,
                          viewport={"width": width, "height": height}, devicePixelRatio=1)

    def cdp(self, method, **params):
        """A command of Chromium's DevTools, for what WebDriver has no command for."""
        if self._session is None:
            self._session = self.browser.call("goog:cdp.getSession", context=self.context)["session"]
        return self.browser.call("goog:cdp.sendCommand", method=method, params=params, session=self._session)["result"]

    def media(self, **features):
        """Settings of the system, such as `prefers_color_scheme="dark"`."""
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def accessibility_tree(self):
        return self.cdp("Accessibility.getFullAXTree")["nodes"]

    def screenshot(self, path):
        image = self.browser.call("browsingContext.captureScreenshot", context=self.context)["data"]
        Path(path).write_bytes(base64.b64decode(image))

    def settle(self):
        """Two frames of the browser: what was pending is laid out and drawn."""
        self.js("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

