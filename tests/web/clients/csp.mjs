// Judges a Content-Security-Policy: `csp.mjs POLICY` prints the findings of npm's `csp_evaluator` as JSON.

import { createRequire } from "node:module";

const require = createRequire(new URL("../../../target/node/", import.meta.url));
const { CspEvaluator } = require("csp_evaluator/dist/evaluator.js");
const { CspParser } = require("csp_evaluator/dist/parser.js");

const findings = new CspEvaluator(new CspParser(process.argv[2]).csp).evaluate();
console.log(JSON.stringify(findings.map(({ directive, value, description, severity }) => ({ directive, value, description, severity }))));
