/** Tabs: on small screens, they select the panel to show. */

import { byId } from "../ui/dom.js";

/** Connect the tabs with their panels. */
export function startTabs() {
  const tabs = /** @type {HTMLButtonElement[]} */ ([...byId("tabs").children]);
  const select = (/** @type {HTMLButtonElement} */ selected) => {
    for (const tab of tabs) {
      const isSelected = tab === selected;
      tab.setAttribute("aria-selected", String(isSelected));
      tab.tabIndex = isSelected ? 0 : -1;
      byId(String(tab.dataset.panel)).classList.toggle("selected", isSelected);
    }
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      const visible = tabs.filter((each) => !each.hidden);
      const next = visible[(visible.indexOf(tab) + step + visible.length) % visible.length];
      select(next);
      next.focus();
    });
  }
  select(tabs[0]);
}
