// Runs in a page before its own scripts and reports when they are done: the page has loaded, no
// request or timer is pending, and the page has not changed for a while. Both browsers run this;
// QtWebKit supports no newer JavaScript.
(function (limitMs, quietMs) {
    "use strict";
    var NAME = "__neighbourhoodCrawler";
    // The maximum number of chained timers to wait for: a page may poll by setting timers forever.
    var LONGEST_CHAIN = 3;
    if (window[NAME]) {
        return;
    }
    // The page may replace Date.now.
    var now = Date.now, began = now(), changed = began, awaited = 0, chain = 0;

    function begin() {
        var ended = false;
        awaited += 1;
        changed = now();
        return function () {
            if (!ended) {
                ended = true;
                awaited -= 1;
                changed = now();
            }
        };
    }

    function hasLoaded() {
        return document.readyState === "complete";
    }

    var send = XMLHttpRequest.prototype.send;
    XMLHttpRequest.prototype.send = function () {
        var end = begin();
        this.addEventListener("loadend", end);
        try {
            return send.apply(this, arguments);
        } catch (error) {
            end();
            throw error;
        }
    };

    function awaitPromisesOf(owner, method) {
        var original = owner[method];
        owner[method] = function () {
            var end = begin(), promise = original.apply(this, arguments);
            promise.then(end, end);
            return promise;
        };
    }
    if (window.fetch) {
        awaitPromisesOf(window, "fetch");
        ["text", "json", "arrayBuffer", "blob"].forEach(
            awaitPromisesOf.bind(null, Response.prototype)
        );
    }

    // Wait for timers set while the page loads, and timers set by those. Later ones are for
    // animation or polling.
    var setTimer = window.setTimeout, clearTimer = window.clearTimeout, ends = {};
    window.setTimeout = function (callback, delay) {
        var above = chain;
        if (
            typeof callback !== "function" || delay > limitMs || above >= LONGEST_CHAIN ||
            (hasLoaded() && !above)
        ) {
            return setTimer.apply(window, arguments);
        }
        var end = begin(), given = Array.prototype.slice.call(arguments, 2);
        var id = setTimer.call(window, function () {
            chain = above + 1;
            try {
                callback.apply(window, given);
            } finally {
                chain = 0;
                end();
            }
        }, delay);
        ends[id] = end;
        return id;
    };
    window.clearTimeout = function (id) {
        if (ends[id]) {
            ends[id]();
        }
        return clearTimer.call(window, id);
    };

    new MutationObserver(function (mutations) {
        changed = now();
        mutations.forEach(function (mutation) {
            Array.prototype.forEach.call(mutation.addedNodes, function (node) {
                // Until the page has loaded, its load event waits for scripts anyway.
                if (node.nodeName === "SCRIPT" && node.src && hasLoaded()) {
                    var end = begin();
                    node.addEventListener("load", end);
                    node.addEventListener("error", end);
                }
            });
        });
    }).observe(document, {childList: true, subtree: true, characterData: true});

    // WebSockets bypass the checks on requests, and articles do not need them.
    window.WebSocket = undefined;

    Object.defineProperty(window, NAME, {
        value: function () {
            var moment = now();
            return {
                settled: hasLoaded() && awaited === 0 && moment - changed >= quietMs,
                ms: moment - began
            };
        }
    });
})
