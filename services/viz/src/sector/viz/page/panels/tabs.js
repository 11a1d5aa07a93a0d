/** Tabs: where there is no room for all panels, one of them is shown. */

import { byId } from "../ui/dom.js";

/** Have the tabs choose a panel. */
export function startTabs() {
  const tabs = /** @type {HTMLButtonElement[]} */ ([...byId("tabs").children]);
  const choose = (/** @type {HTMLButtonElement} */ chosen) => {
    for (const tab of tabs) {
      const is = tab === chosen;
      tab.setAttribute("aria-selected", String(is));
      tab.tabIndex = is ? 0 : -1;
      byId(String(tab.dataset.panel)).classList.toggle("chosen", is);
    }
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      const shown = tabs.filter((each) => !each.hidden);
      const next = shown[(shown.indexOf(tab) + step + shown.length) % shown.length];
      choose(next);
      next.focus();
    });
  }
  choose(tabs[0]);
}
