// Cuts the operations that gs-release uses out of GitHub's OpenAPI description, as JSON Schema (2020-12).
//
//   node extract.mjs api.github.com.json > github.json
//
// Add an operation here before the fake server may serve it.

import { readFileSync } from "node:fs";

const OPERATIONS = [
  "GET /repos/{owner}/{repo}",
  "GET /repos/{owner}/{repo}/installation",
  "POST /app/installations/{installation_id}/access_tokens",
  "GET /repos/{owner}/{repo}/releases",
  "GET /repos/{owner}/{repo}/releases/tags/{tag}",
  "GET /repos/{owner}/{repo}/tags",
  "GET /repos/{owner}/{repo}/commits/{ref}",
  "GET /repos/{owner}/{repo}/pulls",
  "POST /repos/{owner}/{repo}/pulls",
  "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
  "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
  "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
  "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
  "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
  "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}",
  "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
  "POST /repos/{owner}/{repo}/issues/{issue_number}/assignees",
  "PATCH /repos/{owner}/{repo}/issues/{issue_number}",
  "GET /repos/{owner}/{repo}/milestones",
  "GET /repos/{owner}/{repo}/git/ref/{ref}",
  "POST /repos/{owner}/{repo}/git/refs",
  "PATCH /repos/{owner}/{repo}/git/refs/{ref}",
  "POST /repos/{owner}/{repo}/git/blobs",
  "POST /repos/{owner}/{repo}/git/trees",
  "POST /repos/{owner}/{repo}/git/commits",
  "GET /repos/{owner}/{repo}/compare/{basehead}",
  "GET /repos/{owner}/{repo}/commits/{ref}/statuses",
  "POST /repos/{owner}/{repo}/statuses/{sha}",
  "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches",
  "GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
  "GET /repos/{owner}/{repo}/actions/runs/{run_id}",
  "GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs",
  "POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel",
  "POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun",
  "GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations",
];

const spec = JSON.parse(readFileSync(process.argv[2], "utf8"));
const defs = {};

const at = (ref) => ref.split("/").slice(1).reduce((node, key) => node[key], spec);
const resolved = (node) => (node && node.$ref ? resolved(at(node.$ref)) : node);

// OpenAPI 3.0 says `nullable` where JSON Schema says `type: [..., "null"]`; words for people are left out.
function schema(node) {
  if (node.$ref) {
    const name = node.$ref.split("/").pop();
    if (!(name in defs)) {
      defs[name] = true;
      defs[name] = schema(at(node.$ref));
    }
    return { $ref: `#/$defs/${name}` };
  }
  const out = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === "properties") {
      out[key] = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, schema(inner)]));
    } else if (["allOf", "anyOf", "oneOf"].includes(key)) {
      out[key] = value.map(schema);
    } else if (["items", "additionalProperties", "not"].includes(key)) {
      out[key] = typeof value === "boolean" ? value : schema(value);
    } else if (["type", "enum", "required", "minItems", "maxItems", "pattern", "minLength", "maxLength", "minimum", "maximum"].includes(key)) {
      out[key] = value;
    } else if (key === "format" && ["date-time", "uri"].includes(value)) {
      out[key] = value;
    }
  }
  if (!node.nullable) return out;
  if (!out.type) return { anyOf: [out, { type: "null" }] };
  out.type = [out.type, "null"];
  if (out.enum) out.enum = [...out.enum, null];
  return out;
}

// One entry of a list is example enough.
const shortened = (value) =>
  Array.isArray(value)
    ? value.slice(0, 1).map(shortened)
    : value && typeof value === "object"
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner)]))
      : value;

const operations = {};
for (const name of OPERATIONS) {
  const [method, path] = name.split(" ");
  const operation = spec.paths[path][method.toLowerCase()];
  const parameters = [...(spec.paths[path].parameters ?? []), ...(operation.parameters ?? [])].map(resolved);
  const query = {};
  for (const parameter of parameters.filter((p) => p.in === "query")) query[parameter.name] = schema(parameter.schema);
  const body = resolved(operation.requestBody)?.content["application/json"]?.schema;
  const replies = {};
  let example;
  for (const [status, reply] of Object.entries(operation.responses)) {
    const content = resolved(reply).content?.["application/json"];
    replies[status] = content?.schema ? schema(content.schema) : null;
    const given = content?.examples ? resolved(Object.values(content.examples)[0]).value : content?.example;
    if (status.startsWith("2") && given !== undefined) example ??= shortened(given);
  }
  operations[name] = { query, body: body ? schema(body) : null, replies, example: example ?? null };
}

const text = JSON.stringify({ version: spec.info.version, operations, $defs: defs }, null, 1);
// A line for each member, without the weight of deep indentation.
process.stdout.write(`${text.replace(/\n +/g, "\n")}\n`);
