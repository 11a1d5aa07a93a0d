/** The entry point of the page. */

import { App } from "./app.js";
import { pageStart } from "./core/page-start.js";

const settings = /** @type {HTMLMetaElement} */ (document.querySelector("meta[name=sector]")).content;

export const app = new App(JSON.parse(settings));
pageStart().ready();
app.start();
