// SPDX-License-Identifier: Apache-2.0
// The made-up server of tests/e2e, for hours and days of hundreds of CPUs: values of single CPUs are looked up, and what is answered of
// a long span comes from some of its samples, so that a second core is enough for it.

import { Mock, makeValues } from "../tests/e2e/mock-server.mjs";

/** So many samples of a span are looked at. */
const LOOKED_AT = 1_000;
/** Between the values of two CPUs, samples. */
const APART = 37;

function thinned(list, most) {
  const step = Math.ceil(list.length / most);
  return step > 1 ? list.filter((_, i) => i % step === 0) : list;
}

export class LargeMock extends Mock {
  /** Of CPU c at sample n: number n + APART · c of these. */
  #values = new Map();

  tick() {
    const { cpus } = this.options;
    this.options.cpus = 0;
    const sample = super.tick();
    this.options.cpus = cpus;
    const n = sample.sequence;
    const made = new Proxy({}, { get: (_, cpu) => makeValues(n + Number(cpu) * APART, 1 / cpus, this.pmu) });
    Object.defineProperty(sample, "cpus", { value: made, enumerable: true });
    return sample;
  }

  between(q) {
    return thinned(super.between(q), LOOKED_AT);
  }

  async start() {
    // What the page asks for first: made before it does.
    this.#valuesOf("cpu_use");
    return super.start();
  }

  #valuesOf(column) {
    let values = this.#values.get(column);
    if (!values) {
      const { cpus, limitRows } = this.options;
      values = Array.from({ length: limitRows + cpus * APART }, (_, n) => makeValues(n, 1 / cpus, this.pmu)[column]);
      this.#values.set(column, values);
    }
    return values;
  }

  seriesOfAll(q) {
    const { interval, cpus: number, limitRows } = this.options;
    const values = this.#valuesOf(q.get("columns"));
    const latest = this.samples.at(-1).timestamp;
    const from = Math.max(Number(q.get("from") ?? -Infinity), this.options.days ? this.historyFirst() : this.samples[0].timestamp);
    const to = Math.min(Number(q.get("to") ?? Infinity), latest);
    const points = Number(q.get("points"));
    const resolution = interval * Math.max(1, Math.ceil((to - from) / interval / points));
    const t = [];
    for (let end = Math.ceil(from / resolution) * resolution; end <= to; end += resolution) t.push(end);
    const at = t.map((end) => (((this.sequence - (latest - end) / interval) % limitRows) + limitRows) % limitRows);
    const cpus = {};
    for (let cpu = 0; cpu < number; cpu++) cpus[cpu] = at.map((n) => values[Math.floor(n) + cpu * APART]);
    return { t, sequence: t.map(() => null), interval_ms: interval, per_bucket: resolution / interval, resolution_ms: resolution, cpus };
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
