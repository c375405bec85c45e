import { resolve } from 'node:path';
import { type VmConfig, VmError } from './api.ts';

type Check = (value: unknown) => boolean;

interface Field {
  readonly check: Check;
  readonly expected: string;
}

const isText: Check = (value) => typeof value === 'string';
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const hasTexts: Check = (value) => isObject(value) && Object.values(value as object).every(isText);

const hasAll =
  (names: readonly string[], check: Check): Check =>
  (value) =>
    isObject(value) && names.every((name) => check((value as Record<string, unknown>)[name]));

const TEXT: Field = { check: isText, expected: 'a string' };
const NUMBER: Field = { check: Number.isSafeInteger, expected: 'a whole number' };

/**
 * The fields, checked as far as JSON would hide or change something (undefined, NaN, a function); ranges and meaning
 * are the launcher's to judge.
 */
export const FIELDS: Readonly<Record<keyof VmConfig, Field>> = {
  root: TEXT,
  command: TEXT,
  arguments: { check: listOf(isText), expected: 'a list of strings' },
  environment: { check: hasTexts, expected: 'an object of strings' },
  workdir: TEXT,
  vcpus: NUMBER,
  memoryMib: NUMBER,
  mounts: { check: listOf(hasAll(['tag', 'path'], isText)), expected: 'a list of { tag, path }' },
  ports: { check: listOf(hasAll(['host', 'guest'], Number.isSafeInteger)), expected: 'a list of { host, guest }' },
  logLevel: TEXT,
};

const REQUIRED = ['root', 'command'] as const;

/**
 * The text that the launcher reads; folders of the host become absolute.
 * @throws VmError LAUNCHER_BAD_DESCRIPTION, naming the field.
 */
export function describeVm(config: VmConfig): string {
  if (!isObject(config)) throw bad('the configuration must be an object');
  for (const [name, value] of Object.entries(config)) {
    if (!Object.hasOwn(FIELDS, name)) throw bad(`unknown field ${JSON.stringify(name)}`);
    const { check, expected } = FIELDS[name as keyof VmConfig];
    if (value !== undefined && !check(value)) throw bad(`${name} must be ${expected}`);
  }
  const missing = REQUIRED.find((name) => config[name] === undefined);
  if (missing !== undefined) throw bad(`${missing} is missing`);
  if (config.root === '') throw bad('root must not be empty');
  const mounts = config.mounts?.map((mount) => ({ ...mount, path: resolve(mount.path) }));
  return JSON.stringify({ ...config, root: resolve(config.root), mounts });
}

function bad(message: string): VmError {
  return new VmError('LAUNCHER_BAD_DESCRIPTION', message);
}
