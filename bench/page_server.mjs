// SPDX-License-Identifier: Apache-2.0
// The made-up server of tests/e2e, for hours of hundreds of CPUs: values of single CPUs are made when they are asked for, and
// what is answered of a long span comes from some of its samples, so that a second core is enough for it.

import { Mock, makeValues } from "../tests/e2e/mock-server.mjs";

/** So many samples of a span are looked at. */
const LOOKED_AT = 1_000;

function thinned(list, most) {
  const step = Math.ceil(list.length / most);
  return step > 1 ? list.filter((_, i) => i % step === 0) : list;
}

export class LargeMock extends Mock {
  tick() {
    const { cpus } = this.options;
    this.options.cpus = 0;
    const sample = super.tick();
    this.options.cpus = cpus;
    const n = sample.sequence;
    const made = new Proxy({}, { get: (_, cpu) => makeValues(n + Number(cpu) * 37, 1 / cpus, this.pmu) });
    Object.defineProperty(sample, "cpus", { value: made, enumerable: true });
    return sample;
  }

  between(q) {
    return thinned(super.between(q), LOOKED_AT);
  }

  seriesOfAll(q) {
    const from = Number(q.get("from") ?? -Infinity);
    const to = Number(q.get("to") ?? Infinity);
    const column = q.get("columns");
    const held = this.samples.filter((s) => s.timestamp >= from && s.timestamp <= to);
    const chosen = thinned(held, Number(q.get("points")));
    const per = Math.max(1, Math.ceil(held.length / Math.max(1, chosen.length)));
    const cpus = {};
    for (let cpu = 0; cpu < this.options.cpus; cpu++) cpus[cpu] = chosen.map((s) => s.cpus[cpu][column]);
    const { interval } = this.options;
    return { t: chosen.map((s) => s.timestamp), sequence: chosen.map(() => null), interval_ms: interval, per_bucket: per, resolution_ms: per * interval, cpus };
  }

  /** Time passes `times` as fast: so many intervals with each event of the stream. */
  hurry(times) {
    this.catchUp = () => {
      if (this.silent) return;
      for (let i = 0; i < times; i++) this.tick();
      for (const stream of this.streams) this.flush(stream);
    };
  }
}
