import type { AuditFinding, AuditSubject } from './audit-types.ts';
import type { ElfFile } from './elf-types.ts';
import { compareExports, exportFindings } from './exports.ts';
import { compareReleases, glibcNeeds, glibcRelease } from './glibc.ts';
import { listNames, nameMatcher } from './names.ts';

export function checkNeeded({ elf, expected }: AuditSubject): AuditFinding[] {
  return neededFindings(elf.needed, expected.needed);
}

/** Libraries that a file needs beyond those that it may; where nothing is expected, none. */
export function neededFindings(needed: readonly string[], allowed: readonly string[] | undefined): AuditFinding[] {
  if (allowed === undefined) return [];
  const others = needed.filter((library) => !allowed.includes(library));
  if (others.length === 0) return [];
  const list = allowed.length === 0 ? 'none' : allowed.join(', ');
  return [{ check: 'needed', message: `needs ${listNames(others)}; allowed: ${list}` }];
}

export function checkExports({ elf, expected }: AuditSubject): AuditFinding[] {
  if (expected.exports === undefined) return [];
  const exported = elf.exports.map(({ name }) => name);
  return exportFindings(compareExports(exported, expected.exports));
}

export function checkGlibc({ elf, expected }: AuditSubject): AuditFinding[] {
  const limit = expected.glibcLimit;
  if (limit === undefined) return [];
  const { floor, unstable } = glibcNeeds(elf);
  const findings: AuditFinding[] = [];
  if (floor !== null && compareReleases(floor, limit) > 0) {
    const users = symbolsAbove(elf, limit);
    const blame = users.length === 0 ? '' : ` for ${listNames(users)}`;
    findings.push({ check: 'glibc', message: `needs glibc ${floor}${blame}; the limit is ${limit}` });
  }
  if (unstable.length > 0) {
    findings.push({
      check: 'glibc',
      message: `needs versions of glibc without a stable meaning: ${listNames(unstable)}`,
    });
  }
  return findings;
}

/** Weak imports without a version are how a file asks "is this there?", so that only strong ones count. */
export function checkUnversionedImports({ elf, expected }: AuditSubject): AuditFinding[] {
  if (expected.unversionedImports === undefined) return [];
  const allowed = nameMatcher(expected.unversionedImports);
  const others = elf.imports.filter(({ name, weak, version }) => !weak && version === null && !allowed(name));
  return homelessFindings(others);
}

/** Imports that the loader finds in whatever library has them, or in none. */
export function homelessFindings(imports: readonly { readonly name: string }[]): AuditFinding[] {
  if (imports.length === 0) return [];
  const names = listNames(imports.map(({ name }) => name));
  return [{ check: 'unversionedImports', message: `imports ${names} from no known library` }];
}

/** The imports to blame, the ones that need the newest release first. */
function symbolsAbove(elf: ElfFile, limit: string): string[] {
  return elf.imports
    .map(({ name, version }) => ({ text: `${name}@${version}`, release: glibcRelease(version ?? '') ?? '0' }))
    .filter(({ release }) => compareReleases(release, limit) > 0)
    .sort((one, other) => compareReleases(other.release, one.release))
    .map(({ text }) => text);
}
