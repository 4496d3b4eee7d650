// What flows asked DNS for: the latest name and how many, of the flow that has the row now, whatever bytes the name holds.

import { expect, test } from 'vitest';
import { Questions } from '../../../../src/identify/name/questions.ts';
import { wireLabels } from '../../../../src/inspect/dns/name.ts';
import { Naming } from '../../../support/naming.ts';

const ask = (questions: Questions, row: number, name: string) => {
  const labels = wireLabels(name);
  questions.note(row, labels, labels.length);
};

test('a flow has its latest name; one that is asked for twice in a row counts once', () => {
  const naming = new Naming();
  const questions = new Questions(naming.flows);
  const row = naming.open({ dport: 53 });
  expect(questions.of(row)).toBeNull();
  for (const name of ['a.example.com', 'a.example.com', 'b.example.com', 'a.example.com']) ask(questions, row, name);
  expect(questions.of(row)).toEqual({ name: 'a.example.com', names: 3 });
  expect(questions.of(row)).toBe(questions.of(row));
});

test('another flow has names of its own', () => {
  const naming = new Naming();
  const questions = new Questions(naming.flows);
  const [first, second] = [naming.open({ sport: 1, dport: 53 }), naming.open({ sport: 2, dport: 53 })];
  ask(questions, first, 'a.example.com');
  expect(questions.of(second)).toBeNull();
  ask(questions, second, 'b.example.com');
  expect([questions.of(first)?.name, questions.of(second)?.name]).toEqual(['a.example.com', 'b.example.com']);
});

test('of flows that share a place the newer is known, and no name is mixed up', () => {
  const naming = new Naming({ maxRows: 4096 });
  const questions = new Questions(naming.flows);
  const rows = Array.from({ length: 3000 }, (_, i) => naming.open({ sport: 1 + i, dport: 53 }));
  for (const row of rows) ask(questions, row, `n${row}.example.com`);
  const known = rows.filter((row) => questions.of(row) !== null);
  expect(known).toHaveLength(1024);
  for (const row of known) expect(questions.of(row)).toEqual({ name: `n${row}.example.com`, names: 1 });
});

test('hostile bytes become question marks, and the root has a name', () => {
  const naming = new Naming();
  const questions = new Questions(naming.flows);
  const row = naming.open({ dport: 53 });
  questions.note(row, Uint8Array.from([5, 0x1b, 0x5b, 0x33, 0xff, 0x00, 1, 0x61]), 8);
  expect(questions.of(row)?.name).toBe('?[3??.a');
  questions.note(row, new Uint8Array(0), 0);
  expect(questions.of(row)?.name).toBe('.');
});
