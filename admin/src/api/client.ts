// The one way to the API. Paths, parameters, bodies and answers are checked against its document when this is compiled.
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
type Method = 'get' | 'put' | 'post' | 'delete';

// PathsOf are the paths that have a method.
export type PathsOf<M extends Method> = { [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never }[keyof paths];

type Operation<P extends keyof paths, M extends Method> = paths[P][M];
type Parameters<O, In extends string> = O extends { parameters: infer A } ? (In extends keyof A ? A[In] : undefined) : undefined;
type JSONOf<R> = R extends { content: { 'application/json': infer B } } ? B : undefined;
type BodyOf<O> = O extends { requestBody?: infer B } ? JSONOf<Exclude<B, undefined>> : undefined;
export type AnswerOf<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer R } ? { [S in keyof R]: JSONOf<R[S]> }[keyof R] : undefined;

export interface Ask<P extends keyof paths, M extends Method> {
  path?: Parameters<Operation<P, M>, 'path'>;
  query?: Parameters<Operation<P, M>, 'query'>;
  body?: BodyOf<Operation<P, M>>;
  raw?: { type: string; text: string | Blob }; // in the place of body, for what is no JSON
  match?: string; // If-Match
  signal?: AbortSignal;
}

// Problem is a refusal (RFC 9457). Its message is a sentence for people.
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: { location: string; message: string }[] = [],
    readonly faults: Schemas['FlowFault'][] = [],
  ) {
    super(detail);
  }
}

let csrf = '';

// setCSRF keeps what changes must bring along.
export function setCSRF(text: string | undefined) {
  csrf = text ?? '';
}

const signedOut = new Set<() => void>();

// onSignedOut is called when the API does not know the session any more.
export function onSignedOut(tell: () => void): () => void {
  signedOut.add(tell);
  return () => signedOut.delete(tell);
}

function fill(path: string, values: Record<string, unknown>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name] ?? '')));
}

function queryOf(values: object | undefined): string {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(values ?? {})) {
    if (value === undefined || value === null || value === '') continue;
    q.set(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = q.toString();
  return text && `?${text}`;
}

// address is where something is read that is no JSON: a sound, a picture, a document.
export function address<P extends PathsOf<'get'>>(path: P, ask: Pick<Ask<P, 'get'>, 'path' | 'query'>): string {
  return fill(path, (ask.path ?? {}) as Record<string, unknown>) + queryOf(ask.query as object | undefined);
}

async function problemOf(answer: Response): Promise<Problem> {
  try {
    const p = (await answer.json()) as Partial<Schemas['Problem']>;
    return new Problem(answer.status, p.code ?? 'unknown', p.detail ?? p.title ?? 'The request was refused.', p.errors ?? [], p.faults ?? []);
  } catch {
    return new Problem(answer.status, 'unreadable', `The server answered ${answer.status} and said no more.`);
  }
}

async function send(method: string, url: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, { ...init, method, credentials: 'same-origin' });
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new Problem(0, 'unreachable', 'The server cannot be reached. Check your network; nothing is lost.');
  }
  if (answer.ok) return answer;
  const p = await problemOf(answer);
  if (p.status === 401 && p.code === 'unauthorized') signedOut.forEach((tell) => tell());
  throw p;
}

// whyNot says why something that is no JSON cannot be read.
export async function whyNot(url: string): Promise<unknown> {
  try {
    const answer = await send('GET', url, { headers: { Range: 'bytes=0-0' } });
    await answer.body?.cancel();
    return undefined;
  } catch (e) {
    return e;
  }
}

// Answered is an answer with the tag of the object that it holds.
export interface Answered<T> {
  value: T;
  etag: string | undefined;
}

// askTagged asks the API, and gives the tag of what it answers too.
export async function askTagged<M extends Method, P extends PathsOf<M>>(method: M, path: P, ask: Ask<P, M> = {}): Promise<Answered<AnswerOf<P, M>>> {
  const headers: Record<string, string> = {};
  if (method !== 'get') headers['X-CSRF-Token'] = csrf;
  if (ask.match) headers['If-Match'] = ask.match;
  let body: string | Blob | undefined;
  if (ask.raw) {
    headers['Content-Type'] = ask.raw.type;
    body = ask.raw.text;
  } else if (ask.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(ask.body);
  }
  const url = fill(path, (ask.path ?? {}) as Record<string, unknown>) + queryOf(ask.query as object | undefined);
  const answer = await send(method.toUpperCase(), url, { headers, body, signal: ask.signal });
  const text = await answer.text();
  return { value: (text ? JSON.parse(text) : undefined) as AnswerOf<P, M>, etag: answer.headers.get('ETag') ?? undefined };
}

// ask asks the API.
export async function ask<M extends Method, P extends PathsOf<M>>(method: M, path: P, asked: Ask<P, M> = {}): Promise<AnswerOf<P, M>> {
  return (await askTagged(method, path, asked)).value;
}
