import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeDir } from '../support/run.ts';
import { PROJECT } from './consumer.ts';

/** A name that is exported, or a member of one. */
interface Item {
  readonly name: string;
  readonly kind: string;
  readonly docComment: string;
  readonly members?: readonly Item[];
}

/** What api-extractor says of an entry point. */
interface Report {
  readonly text: string;
  readonly items: readonly Item[];
  readonly complaints: readonly string[];
}

const reports = new Map<string, Report>();

function reportOf(entry: string): Report {
  const report = reports.get(entry) ?? makeReport(entry);
  reports.set(entry, report);
  return report;
}

function makeReport(entry: string): Report {
  const dir = makeDir('api');
  const complaints: string[] = [];
  const config = ExtractorConfig.prepare({
    configObject: {
      newlineKind: 'lf',
      projectFolder: PROJECT,
      mainEntryPointFilePath: join(PROJECT, `dist/declarations/${entry}.d.ts`),
      apiReport: { enabled: true, reportFileName: 'api', reportFolder: dir, reportTempFolder: dir },
      docModel: { enabled: true, apiJsonFilePath: join(dir, 'api.json') },
      compiler: { tsconfigFilePath: join(PROJECT, 'tsconfig.build.json') },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning },
          'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None },
        },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(PROJECT, 'package.json'),
  });
  Extractor.invoke(config, {
    localBuild: true,
    messageCallback(message) {
      message.handled = true;
      const { logLevel, category, text } = message;
      if (category !== 'console' && (logLevel === 'warning' || logLevel === 'error')) complaints.push(text);
    },
  });
  const { members } = JSON.parse(readFileSync(join(dir, 'api.json'), 'utf8'));
  return { text: readFileSync(join(dir, 'api.api.md'), 'utf8'), items: members[0].members, complaints };
}

/** What an entry point needn't export, since the main one does. */
const elsewhere = (): ReadonlySet<string> => new Set(reportOf('index').items.map(({ name }) => name));

describe.for(['index', 'testing', 'redis'])('the public interface of %s', (entry) => {
  let report: Report;
  beforeAll(() => {
    report = reportOf(entry);
  });

  test('is the one in the report; "npx vitest run test/package/api.test.ts -u" writes that anew', async () => {
    await expect(report.text).toMatchFileSnapshot(`api/${entry}.md`);
  });

  test('exports every type that it names, and says of each what it is', () => {
    const known = entry === 'index' ? new Set<string>() : elsewhere();
    const isKnown = (complaint: string) => known.has(complaint.match(/^The symbol "(\w+)" needs/)?.[1] ?? '');
    expect(report.complaints.filter((complaint) => !isKnown(complaint))).toEqual([]);
  });

  test('has an example for every name', () => {
    const without = report.items.filter(({ docComment }) => !docComment.includes('@example'));
    expect(without.map(({ name, kind }) => `${kind} ${name}`)).toEqual([]);
  });
});
