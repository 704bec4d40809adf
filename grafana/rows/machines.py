"""The panels of hosts: CPU, memory, disks, network."""

from grafana import links
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import of, per, query, rate

CONTAINER = "{{pod}}/{{container}}"  # with its namespace it would be cut
EACH = "job, instance, host"
DISK, MEMORY = "system_filesystem_utilization_ratio", "system_memory_usage_bytes"


def machines() -> list[Panel]:
    """Return the hosts and, in Kubernetes, the containers."""
    idle = of("system_cpu_utilization_ratio", 'state=~"idle|wait"')
    average = f"avg_over_time({idle}[{window('HostCpuHigh')}])"
    busy = rate("system_cpu_time_seconds_total", 'state!~"idle|wait"')
    used = 'state="used"'
    return [
        graph(
            "CPU usage (cores)",
            "cores",
            "CPU usage of each host and, in Kubernetes, of each container.",
            query(per("host", busy), "{{host}}"),
            query(
                per("namespace, pod, container", rate("container_cpu_usage_seconds_total")),
                CONTAINER,
            ),
            to=links.KUBERNETES,
        ),
        graph(
            "CPU utilization (%)",
            "percentunit",
            "Busy share of the host's cores, without I/O wait.",
            query(f"1 - {per(EACH, average)}", "{{host}}"),
            to=links.TRENDS,
            alert="HostCpuHigh",
        ),
        graph(
            "Memory usage (MB)",
            "mbytes",
            "Memory usage of each host and, in Kubernetes, of each container.",
            query(f"{per('host', of(MEMORY, used))} / 1024 / 1024", "{{host}}"),
            query(f"{of('container_memory_usage_bytes')} / 1024 / 1024", CONTAINER),
            to=links.KUBERNETES,
        ),
        graph(
            "Memory utilization (%)",
            "percentunit",
            "Used share of the host's memory, without page cache.",
            query(per(EACH, of("system_memory_utilization_ratio", used)), "{{host}}"),
            to=links.TRENDS,
            alert="HostMemoryHigh",
        ),
        graph(
            "Disk utilization (%)",
            "percentunit",
            "Used share of each file system that can be written to.",
            query(of(DISK, 'mode="rw"'), "{{host}} {{mountpoint}}"),
            to=links.TRENDS,
            alert="HostDiskSpaceLow",
            severity="critical",
        ),
        graph(
            "Disk I/O (bytes/s)",
            "Bps",
            "Bytes read from and written to each disk.",
            query(
                per("host, device, direction", rate("system_disk_io_bytes_total")),
                "{{host}} {{device}} {{direction}}",
            ),
            to=links.DATABASES,
        ),
        graph(
            "Network traffic (bytes/s)",
            "Bps",
            "Bytes received and sent by each host, without loopback; in Kubernetes by the main "
            "interface of each node.",
            query(
                per("host, direction", rate("system_network_io_bytes_total", 'device!="lo"')),
                "{{host}} {{direction}}",
            ),
            query(
                per("node, direction", rate("k8s_node_network_io_bytes_total")),
                "{{node}} {{direction}}",
            ),
            to=links.KUBERNETES,
            width=12,
        ),
        graph(
            "Network errors (packets/s)",
            "packets/s",
            "Packets with errors, and dropped packets; in Kubernetes errors only.",
            query(
                per("host, direction", rate("system_network_errors_total")),
                "{{host}} {{direction}} errors",
            ),
            query(
                per("host, direction", rate("system_network_dropped_total")),
                "{{host}} {{direction}} dropped",
            ),
            query(
                per("node, direction", rate("k8s_node_network_errors_total")),
                "{{node}} {{direction}} errors",
            ),
            to=links.KUBERNETES,
            width=12,
        ),
    ]
