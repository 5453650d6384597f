// Makes src/api/schema.d.ts of the API's document. Refusals are left out: each is a Problem (src/api/client.ts).
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const document = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'));
for (const path of Object.values(document.paths)) {
  for (const operation of Object.values(path)) {
    if (!operation?.responses) continue;
    for (const status of Object.keys(operation.responses)) if (status >= '300') delete operation.responses[status];
  }
}
writeFileSync(new URL('../src/api/schema.d.ts', import.meta.url), '// Made by make admin of the API\'s document. Git does not keep it.\n' + astToString(await openapiTS(document)));
