/// The style sheet of all pages.
let styleSheet = """
    :root {
      color-scheme: light dark;
      --text: light-dark(#1a1a1a, #e8e8e8);
      --page: light-dark(#ffffff, #16181c);
      --line: light-dark(#767676, #8b9098);
      --quiet: light-dark(#f2f4f7, #22262c);
      --accent: light-dark(#0b57a4, #8cc4ff);
      --bad: light-dark(#a4000f, #ff9a9a);
    }
    * { box-sizing: border-box; }
    body {
      margin: 0 auto; max-width: 72rem; padding: 1rem;
      background: var(--page); color: var(--text);
      font: 1rem/1.5 system-ui, sans-serif;
    }
    h1 { font-size: 1.5rem; line-height: 1.2; }
    h2 { font-size: 1.2rem; margin-top: 2rem; }
    code, .foreign { font-family: ui-monospace, monospace; font-size: 0.9em; overflow-wrap: anywhere; }
    .foreign { unicode-bidi: isolate; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    fieldset { border: 1px solid var(--line); border-radius: 0.5rem; margin: 1rem 0; padding: 1rem; }
    label { display: block; padding: 0.35rem 0; }
    input:not([type=radio]), button { font: inherit; padding: 0.5rem 0.75rem; border: 1px solid var(--line); border-radius: 0.4rem; }
    input:not([type=radio]) { width: 100%; max-width: 24rem; background: var(--page); color: inherit; }
    button { background: var(--quiet); color: inherit; min-width: 8rem; cursor: pointer; }
    .buttons { display: flex; flex-wrap: wrap; gap: 1rem; }
    button[aria-pressed=true] { border: 2px solid var(--accent); }
    table { width: 100%; border-collapse: collapse; }
    caption { text-align: start; padding-bottom: 0.35rem; }
    th, td { text-align: start; vertical-align: top; padding: 0.35rem; border: 1px solid var(--line); }
    thead th { background: var(--quiet); overflow-wrap: break-word; }
    @media (max-width: 30rem) { th, td { padding: 0.2rem; font-size: 0.8rem; } }
    tbody th { font-weight: normal; }
    ol { list-style: none; margin: 0; padding: 0; }
    ol > li { border: 1px solid var(--line); border-radius: 0.5rem; margin: 0.75rem 0; padding: 0.75rem; }
    h3 { font-size: 1rem; margin: 0 0 0.5rem; overflow-wrap: anywhere; }
    h4 { font-size: 0.9rem; margin: 0; }
    .sides { display: grid; grid-template-columns: 1fr; gap: 0.75rem; }
    .hidden { background: var(--quiet); border-inline-start: 4px solid var(--accent); padding: 0.5rem 0.75rem; }
    .hidden p { margin: 0; }
    dl { margin: 0; }
    dl div { display: flex; flex-wrap: wrap; column-gap: 0.5rem; }
    dt { min-width: 5.5rem; }
    dd { margin: 0; flex: 1 1 12rem; }
    @media (min-width: 48rem) { .sides { grid-template-columns: 2fr 1fr; } }
    [role=alert] { color: var(--bad); font-weight: bold; }

    """
