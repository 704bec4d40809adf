"""The panels of machines: processors, memory, disks, network."""

from grafana import links
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import of, per, query, rate

CONTAINER = "{{namespace}}/{{pod}}/{{container}}"
DISK, MEMORY = "system_filesystem_utilization_ratio", "system_memory_usage_bytes"


def machines() -> list[Panel]:
    """Return the machines, and in Kubernetes the containers."""
    idle = of("system_cpu_utilization_ratio", 'state=~"idle|wait"')
    average = f"avg_over_time({idle}[{window('HostCpuHigh')}])"
    busy = rate("system_cpu_time_seconds_total", 'state!~"idle|wait"')
    used = 'state="used"'
    return [
        graph(
            "CPU usage",
            "cores",
            "Cores in use: the host's, and in Kubernetes each container's.",
            query(per("host", busy), "{{host}}"),
            query(
                per("namespace, pod, container", rate("container_cpu_usage_seconds_total")),
                CONTAINER,
            ),
            to=links.KUBERNETES,
        ),
        graph(
            "CPU in use",
            "percentunit",
            "The share of the host's cores that works.",
            query(f"1 - {per('host', average)}", "{{host}}"),
            to=links.TRENDS,
            alert="HostCpuHigh",
        ),
        graph(
            "Memory usage (MB)",
            "mbytes",
            "Memory in use: the host's, and in Kubernetes each container's.",
            query(f"{per('host', of(MEMORY, used))} / 1024 / 1024", "{{host}}"),
            query(f"{of('container_memory_usage_bytes')} / 1024 / 1024", CONTAINER),
            to=links.KUBERNETES,
        ),
        graph(
            "Memory in use",
            "percentunit",
            "The share of the host's memory that programs hold; caches are not counted.",
            query(per("host", of("system_memory_utilization_ratio", used)), "{{host}}"),
            to=links.TRENDS,
            alert="HostMemoryHigh",
        ),
        graph(
            "Disk space free",
            "percentunit",
            "The share of each file system that is free.",
            query(f"1 - {of(DISK)}", "{{host}} {{mountpoint}}"),
            to=links.TRENDS,
            alert="HostDiskSpaceLow",
            severity="critical",
        ),
        graph(
            "Disk traffic",
            "Bps",
            "What is read from and written to each disk.",
            query(
                per("host, device, direction", rate("system_disk_io_bytes_total")),
                "{{host}} {{device}} {{direction}}",
            ),
            to=links.DATABASES,
        ),
        graph(
            "Network traffic",
            "Bps",
            "What each host receives and sends, without what it sends itself.",
            query(
                per("host, direction", rate("system_network_io_bytes_total", 'device!="lo"')),
                "{{host}} {{direction}}",
            ),
            to=links.KUBERNETES,
            width=12,
        ),
        graph(
            "Network errors",
            "packets/s",
            "Packets that were damaged or dropped.",
            query(
                per("host, direction", rate("system_network_errors_total")),
                "{{host}} {{direction}} damaged",
            ),
            query(
                per("host, direction", rate("system_network_dropped_total")),
                "{{host}} {{direction}} dropped",
            ),
            to=links.KUBERNETES,
            width=12,
        ),
    ]
