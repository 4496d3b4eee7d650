// Runs with every test file, also where many share a process: a hook of a module that they share would run after the first one alone.

import { afterAll } from 'vitest';
import { removeFakeRoots } from './fake-edges.ts';

afterAll(removeFakeRoots);
