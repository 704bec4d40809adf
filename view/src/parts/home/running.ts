// What runs: services, databases, hosts and collectors that reported within the last hour.
import type { Sample } from "../../api";
import { bytes, percent, perSecond } from "../numbers";
import { number, valueOf, type Named } from "../named";
import type { Tone } from "../dot";

/** A job, or an instance of a part of the infrastructure. */
export interface Running {
  kind: Kind;
  job: string;
  name: string;
  detail: string;
  load: string;
  errors: number | null;
  age: number;
}

const LATE = 60; // seconds; everything reports several times a minute
const SILENT = 180; // as the window of the alert ServiceTelemetryAbsent

type Kind = "service" | "database" | "host" | "collector";
type Labels = Record<string, string>;

export const BOARD: Record<Kind, string> = {
  service: "agentical-application",
  database: "agentical-databases",
  host: "agentical-overview",
  collector: "agentical-collector",
};

// The newest sample of the last hour: an instant query alone forgets a series after five minutes.
const age = (labels: string, series: string): string =>
  `min by (${labels}) (time() - (timestamp(${series}) or max_over_time(timestamp(${series})[1h:15s])))`;
const rate = (labels: string, counter: string, window = "1m"): string => `sum by (${labels}) (rate(${counter}[${window}]))`;
const SERVICE = 'job!="agentical-doctor"';
const ONE = "job, instance";

export const QUERIES = {
  service: age("job, instance, service_version", `target_info{${SERVICE}}`),
  postgres: age(ONE, "postgresql_backends"),
  redis: age(ONE, "redis_uptime_seconds_total"),
  host: age(ONE, 'system_memory_usage_bytes{state="used"}'),
  collector: age(ONE, "otelcol_process_uptime_seconds_total"),
  requests: rate("job", "agentical_requests_total"),
  failedRequests: rate("job", 'agentical_requests_total{status=~"5.."}'),
  tasks: rate("job", "agentical_agent_tasks_total"),
  failedTasks: rate("job", 'agentical_agent_tasks_total{status="error"}'),
  connections: `sum by (${ONE}) (postgresql_backends) / max by (${ONE}) (postgresql_connection_max)`,
  commands: rate(ONE, "redis_commands_processed_total", "2m"),
  cpu: `1 - sum by (${ONE}) (system_cpu_utilization_ratio{state=~"idle|wait"})`,
  memory: `sum by (${ONE}) (system_memory_utilization_ratio{state="used"})`,
  spans: rate(ONE, "otelcol_receiver_accepted_spans_total"),
  resident: `sum by (${ONE}) (otelcol_process_memory_rss_bytes)`,
};

export type Answer = Named<keyof typeof QUERIES>;

export function running(answer: Answer): Running[] {
  const collectors = new Set(answer.collector.map(({ metric }) => metric["job"]));
  const services = answer.service.filter(({ metric }) => !collectors.has(metric["job"]));
  return [
    ...[...byJob(services)].map(([job, instances]) => service(job, instances, answer)),
    ...answer.postgres.map((each) => one("database", "Postgres", each, used(answer, each.metric))),
    ...answer.redis.map((each) => one("database", "Redis", each, words(answer.commands, each.metric, (n) => perSecond(n, "commands")))),
    ...answer.host.map((each) => one("host", "Host", each, ofHost(answer, each.metric))),
    ...[...byJob(answer.collector)].map(([job, instances]) => collector(job, instances, answer)),
  ];
}

function byJob(samples: Sample[]): Map<string, Sample[]> {
  const found = new Map<string, Sample[]>();
  for (const sample of samples) {
    const job = sample.metric["job"] ?? "";
    found.set(job, [...(found.get(job) ?? []), sample]);
  }
  return new Map([...found].sort(([a], [b]) => a.localeCompare(b)));
}

function service(job: string, instances: Sample[], answer: Answer): Running {
  const { newest, alive } = aliveOf(instances);
  const versions = [...new Set(alive.map(({ metric }) => metric["service_version"]).filter(Boolean))];
  const requests = valueOf(answer.requests, { job });
  const tasks = valueOf(answer.tasks, { job });
  const total = (requests ?? 0) + (tasks ?? 0);
  const failed = (valueOf(answer.failedRequests, { job }) ?? 0) + (valueOf(answer.failedTasks, { job }) ?? 0);
  return {
    kind: "service",
    job,
    name: job,
    detail: both(versions.join(", "), count(alive)),
    load: both(
      requests === undefined ? "" : perSecond(requests, "requests"),
      tasks === undefined ? "" : perSecond(tasks, "tasks"),
    ),
    errors: total > 0 ? failed / total : null,
    age: newest,
  };
}

function collector(job: string, instances: Sample[], answer: Answer): Running {
  const { newest, alive } = aliveOf(instances);
  const sum = (samples: Sample[]): number =>
    alive.reduce((total, { metric }) => total + (valueOf(samples, pick(metric)) ?? 0), 0);
  const load = both(perSecond(sum(answer.spans), "spans"), bytes(sum(answer.resident)));
  return { kind: "collector", job, name: "Collector", detail: both(job, count(alive)), load, errors: null, age: newest };
}

// The instance of a service or a collector is another after each start: those of before are not missed.
function aliveOf(instances: Sample[]): { newest: number; alive: Sample[] } {
  const newest = Math.min(...instances.map(number));
  return { newest, alive: instances.filter((each) => number(each) < newest + LATE) };
}

const count = (alive: Sample[]): string => (alive.length > 1 ? `${alive.length} instances` : "");

function one(kind: Kind, name: string, sample: Sample, load: string): Running {
  const { job = "", instance = "" } = sample.metric;
  return { kind, job, name, detail: instance, load, errors: null, age: number(sample) };
}

function words(samples: Sample[], of: Labels, write: (value: number) => string): string {
  const value = valueOf(samples, pick(of));
  return value === undefined ? "" : write(value);
}

const pick = ({ job = "", instance = "" }: Labels): Labels => ({ job, instance });
const used = (answer: Answer, of: Labels): string => words(answer.connections, of, (n) => `${percent(n)} of connections`);
const both = (...texts: string[]): string => texts.filter(Boolean).join(", ");
const ofHost = (answer: Answer, of: Labels): string =>
  both(words(answer.cpu, of, (n) => `CPU ${percent(n)}`), words(answer.memory, of, (n) => `memory ${percent(n)}`));

/** Returns whether something still reports. */
export function status(age: number): { tone: Tone; text: string } {
  if (age < LATE) return { tone: "success", text: "reports" };
  return age < SILENT ? { tone: "warning", text: "reports late" } : { tone: "error", text: "does not report" };
}
