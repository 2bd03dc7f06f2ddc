import Hummingbird

/// The page at `/`: shows what the server stores, and updates itself.
enum LivePage {
    static func response() -> Response {
        .page("What the server sees", main, hasScript: true)
    }

    private static let main: HTML = """
        <p>This sandbox takes the place of X's servers. The newest data that it stores is below; it has no key that decrypts a message.</p>
        <p class="buttons"><button type="button" id="pause" aria-pressed="false">Pause updates</button></p>
        <p id="status" role="status" aria-live="polite">Loading.</p>
        <noscript><p role="alert">This page needs JavaScript.</p></noscript>
        <section aria-labelledby="events-heading">
        <h2 id="events-heading">Newest events</h2>
        <ol id="events" reversed></ol>
        </section>
        <section aria-labelledby="conversations-heading">
        <h2 id="conversations-heading">Conversations</h2>
        <table>
        <caption>Members and number of events</caption>
        <thead><tr>
        <th scope="col">Id</th><th scope="col">Members</th><th scope="col">Events</th>
        <th scope="col">Newest key</th><th scope="col">Title as sent</th>
        </tr></thead>
        <tbody id="conversations"></tbody>
        </table>
        </section>
        <section aria-labelledby="users-heading">
        <h2 id="users-heading">Users</h2>
        <table>
        <caption>Public keys; the private keys stay with their owners</caption>
        <thead><tr><th scope="col">User</th><th scope="col">Handle</th><th scope="col">Versions of the registered keys</th></tr></thead>
        <tbody id="users"></tbody>
        </table>
        </section>
        """

    /// The script inserts values from the server as text, never as HTML.
    static let script = """
        "use strict";

        const interval = 1000;
        const statusLine = document.getElementById("status");
        const pause = document.getElementById("pause");
        let shown = "";
        let isPaused = false;

        function element(name, text, className) {
          const made = document.createElement(name);
          if (text !== undefined) made.textContent = text;
          if (className) made.className = className;
          return made;
        }

        function rows(id, entries, names, empty) {
          const body = document.getElementById(id);
          const made = entries.map((entry) => {
            const row = element("tr");
            names.forEach((name, index) => {
              const cell = element(index === 0 ? "th" : "td", String(entry[name]), "foreign");
              if (index === 0) cell.scope = "row";
              row.append(cell);
            });
            return row;
          });
          if (made.length === 0) {
            const cell = element("td", empty);
            cell.colSpan = names.length;
            made.push(element("tr"));
            made[0].append(cell);
          }
          body.replaceChildren(...made);
        }

        function facts(entries) {
          const list = element("dl");
          for (const [name, value] of entries) {
            const group = element("div");
            group.append(element("dt", name), element("dd", value, "foreign"));
            list.append(group);
          }
          return list;
        }

        function side(title, className, content) {
          const side = element("div", undefined, className);
          side.append(element("h4", title), content);
          return side;
        }

        function event(entry) {
          const item = element("li");
          const heading = element("h3");
          heading.append(
            entry.kind, " from ", element("bdi", entry.sender), " in ", element("bdi", entry.conversation)
          );
          const sides = element("div", undefined, "sides");
          sides.append(
            side("The server sees", "sees", facts([
              ["Time", entry.time], ["Number", entry.number], ["Size", `${entry.bytes} bytes`],
              ["Signature", entry.signature], ["Contents", entry.held],
            ])),
            side("The server cannot see", "hidden", element("p", entry.hidden))
          );
          item.append(heading, sides);
          return item;
        }

        function show(view) {
          const events = document.getElementById("events");
          events.start = view.event_count;
          events.replaceChildren(...view.events.map(event));
          rows("conversations", view.conversations, ["id", "members", "events", "key_version", "title"],
            "No conversation yet.");
          rows("users", view.users, ["id", "handle", "versions"], "No user has registered keys yet.");
          const newest = view.events[0];
          say(newest
            ? `${view.event_count} events. The newest: ${newest.kind} from ${newest.sender} in ${newest.conversation}.`
            : "No events yet. This page shows them as they come.");
        }

        function say(text) {
          // A screen reader reads the line whenever it is set.
          if (statusLine.textContent !== text) statusLine.textContent = text;
        }

        async function update() {
          if (isPaused || document.hidden) return;
          try {
            const answer = await fetch("/sandbox.json");
            if (!answer.ok) throw new Error();
            const text = await answer.text();
            if (isPaused || (text === shown && statusLine.textContent !== "")) return;
            show(JSON.parse(text));
            shown = text;
          } catch {
            shown = "";
            say("The server does not answer. Trying again.");
          }
        }

        pause.addEventListener("click", () => {
          isPaused = !isPaused;
          pause.setAttribute("aria-pressed", String(isPaused));
          pause.textContent = isPaused ? "Updates are paused" : "Pause updates";
        });

        async function run() {
          await update();
          setTimeout(run, interval);
        }
        run();

        """
}
