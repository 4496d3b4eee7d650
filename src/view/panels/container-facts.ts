// The details of a container.

import type { Container } from '../../model/terms.ts';
import type { CellContext } from '../tables/column.ts';
import { shown } from '../tables/masking.ts';
import type { Fact } from './fact.ts';

/** The container that a process runs in, as its engine calls it; of one without a name, why, and what would help. */
export function containerFacts(container: Container | null, context: CellContext): readonly Fact[] {
  if (container === null) return [];
  const { engine, id, container: name, image, pod, namespace, project, unknown } = container;
  const number = `${engine} ${id.slice(0, 12)}`;
  const where = [namespace, pod].filter((part) => part !== null).join('/');
  return [
    ['container', shown(unknown === null && name !== id ? `${name} (${number})` : number, context)],
    ...(unknown === null ? [] : [['no name', unknown, 'warn'] as const]),
    ...(image === null ? [] : [['image', shown(image, context)] as const]),
    ...(pod === null ? [] : [['pod', shown(where, context)] as const]),
    ...(project === null ? [] : [['project', shown(project, context)] as const]),
  ];
}
