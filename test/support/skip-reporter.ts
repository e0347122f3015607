import type { Reporter, TestModule } from 'vitest/node';

/** Prints each skipped test with its reason, which vitest's own reporter leaves out: a run of which much was skipped is seen. */
export default class SkipReporter implements Reporter {
  onTestModuleEnd(module: TestModule): void {
    const groups = new Map<string, number>();
    for (const test of module.children.allTests('skipped')) {
      const result = test.result();
      const note = result.state === 'skipped' ? result.note : undefined;
      // Without a note, the reason is in the name of the test or of its group.
      const reason = note ?? test.fullName;
      groups.set(reason, (groups.get(reason) ?? 0) + 1);
    }
    for (const [reason, count] of groups)
      console.log(`skipped in ${module.relativeModuleId} (${count}): ${reason}`);
  }
}
