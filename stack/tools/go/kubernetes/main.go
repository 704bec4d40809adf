// Kubernetes in one program: the parts of a control plane, of a node and of its add-ons, by the name that
// it is called with: `kubernetes kubelet ...`, or a link named kubelet. They share most of their code.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
	metricsserver "sigs.k8s.io/metrics-server/cmd/metrics-server/app"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// CoreDNS defines these when it is loaded.
var coreDNS = []string{"conf", "dns.port", "p", "pidfile", "plugins", "quiet", "version"}

// The order in which CoreDNS asks its plugins.
var plugins = []string{"reload", "health", "ready", "errors", "log", "cache", "hosts", "kubernetes", "forward"}

var parts = map[string]func(){
	"coredns": func() {
		dnsserver.Directives = plugins
		coremain.Run()
	},
	"etcd":                    func() { etcdmain.Main(os.Args) },
	"kube-apiserver":          func() { run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() { run(controllermanager.NewControllerManagerCommand()) },
	"kube-proxy":              func() { run(proxy.NewProxyCommand()) },
	"kube-scheduler":          func() { run(scheduler.NewSchedulerCommand()) },
	"kubectl": func() {
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			kubectlutil.CheckErr(err)
		}
	},
	"kubelet": func() { run(kubelet.NewKubeletCommand(context.Background())) },
	"metrics-server": func() {
		run(metricsserver.NewMetricsServerCommand(genericapiserver.SetupSignalHandler()))
	},
	"prometheus-adapter": func() {
		if err := runAdapter(); err != nil {
			fmt.Fprintln(os.Stderr, "prometheus-adapter:", err)
			os.Exit(1)
		}
	},
}

func main() {
	name := filepath.Base(os.Args[0])
	if parts[name] == nil && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		name = os.Args[0]
	}
	part, known := parts[name]
	if !known {
		names := slices.Sorted(maps.Keys(parts))
		fmt.Fprintln(os.Stderr, "kubernetes: which part? One of "+strings.Join(names, ", "))
		os.Exit(2)
	}
	if name != "coredns" {
		forget(coreDNS)
	}
	part()
}

func run(command *cobra.Command) { os.Exit(cli.Run(command)) }

// forget removes flags of the process that a part would take for its own: kube-proxy takes all.
func forget(names []string) {
	left := flag.NewFlagSet(os.Args[0], flag.ExitOnError)
	flag.VisitAll(func(each *flag.Flag) {
		if !slices.Contains(names, each.Name) {
			left.Var(each.Value, each.Name, each.Usage)
		}
	})
	flag.CommandLine = left
}
