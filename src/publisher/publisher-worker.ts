// Entry of a thread that looks for the packages of executables, or computes the SHA-256 of one, and ends. It works as the user of the run, without
// any right, and reads only in the folders of the databases, or of that executable.

import { parentPort, workerData } from 'node:worker_threads';
import { loadSql } from '../history/sqljs/engine.ts';
import { dropToReading } from '../privilege/bare-thread.ts';
import { checksumOf } from './checksum.ts';
import { databaseFolders, packagePublishers, rpmDatabases } from './package-search.ts';
import type { PublisherJob } from './publisher-thread.ts';

async function work(job: PublisherJob): Promise<unknown> {
  if ('digest' in job) return checksumOf(job.digest, (folder) => dropToReading([folder]));
  const engine = rpmDatabases(job.root).length === 0 ? null : await loadSql();
  await dropToReading(databaseFolders(job.root));
  return packagePublishers(job.root, job.asked, engine);
}

void work(workerData as PublisherJob).then((answer) => parentPort?.postMessage(answer));
