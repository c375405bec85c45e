import { Document, isMap, isPair, isScalar, type Scalar, visit } from 'yaml';
import type { CiPins } from './pins.ts';
import type { CompositeAction, Workflow } from './workflow.ts';

const HEADER = ' Written by `a3s-build ci`. Do not edit: the next run overwrites it, and `a3s-build ci --check` fails.';

/** What another tool must be told about a line, and why. */
const REMARKS: Readonly<Record<string, string>> = {
  // The one trigger for it, and the job takes nothing from the pull request but one file, as data.
  workflow_run: ' zizmor: ignore[dangerous-triggers] no code of the pull request runs here',
};

/**
 * The document as YAML, the same bytes on every machine. Each action of others stands with its pinned commit and, as a
 * comment, its version; one that has no commit stands with its version.
 * @throws Error for an action that is not pinned at all: a mistake in the templates.
 */
export function emitYaml(content: Workflow | CompositeAction, { actions }: Pick<CiPins, 'actions'>): string {
  // Without this, parts that several jobs share would be written once and referred to.
  const document = new Document(content, { aliasDuplicateObjects: false });
  document.commentBefore = HEADER;
  visit(document, {
    Pair(_key, pair) {
      if (!isScalar(pair.key)) return;
      const remark = REMARKS[String(pair.key.value)];
      if (remark !== undefined && isMap(pair.value)) pair.key.comment = remark;
      if (pair.key.value === 'uses' && isScalar(pair.value)) pinAction(pair.value, actions);
    },
  });
  for (const job of jobPairs(document)) job.spaceBefore = true;
  return document.toString({ lineWidth: 0 });
}

function pinAction(uses: Scalar, actions: CiPins['actions']): void {
  const name = String(uses.value);
  if (name.startsWith('./')) return;
  const pin = actions[name];
  if (pin === undefined) throw new Error(`no pin for the action ${name}`);
  uses.value = `${name}@${'commit' in pin ? pin.commit : pin.version}`;
  if ('commit' in pin) uses.comment = ` ${pin.version}`;
}

/** Keys of the jobs, and of the sections of the document but the first. */
function jobPairs(document: Document): readonly Scalar[] {
  if (!isMap(document.contents)) return [];
  const jobs = document.contents.get('jobs');
  const pairs = [...document.contents.items.slice(1), ...(isMap(jobs) ? jobs.items.slice(1) : [])];
  return pairs.flatMap((pair) => (isPair(pair) && isScalar(pair.key) ? [pair.key] : []));
}

/** Actions that are pinned by a version only, which whoever owns the action can move. */
export function pinnedByTag({ actions }: Pick<CiPins, 'actions'>): readonly string[] {
  return Object.entries(actions).flatMap(([name, pin]) => ('commit' in pin ? [] : [`${name}@${pin.version}`]));
}
