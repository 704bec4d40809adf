package main

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/prometheus/common/model"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/logs"
	adapterbase "sigs.k8s.io/custom-metrics-apiserver/pkg/cmd"
	prometheus "sigs.k8s.io/prometheus-adapter/pkg/client"
	"sigs.k8s.io/prometheus-adapter/pkg/config"
	external "sigs.k8s.io/prometheus-adapter/pkg/external-provider"
	"sigs.k8s.io/prometheus-adapter/pkg/naming"
)

const timeout = 30 * time.Second

// runAdapter is the Prometheus adapter with its external rules: their discovery, their queries and the API are its
// own packages. Its own program asks for an API server library from before this release of Kubernetes.
func runAdapter() error {
	logs.InitLogs()
	defer logs.FlushLogs()
	adapter := &adapterbase.AdapterBase{Name: "prometheus-adapter"}
	flags := adapter.Flags()
	file := flags.String("config", "", "The file of the rules.")
	address := flags.String("prometheus-url", "", "The URL of Prometheus.")
	relist := flags.Duration("metrics-relist-interval", 10*time.Minute, "How often series are listed.")
	age := flags.Duration("metrics-max-age", 10*time.Minute, "How old the listed series may be.")
	logs.AddFlags(flags)
	if err := flags.Parse(os.Args[1:]); err != nil {
		return err
	}
	base, err := url.Parse(*address)
	if err != nil {
		return err
	}
	rules, err := config.FromFile(*file)
	if err != nil {
		return err
	}
	mapper, err := adapter.RESTMapper()
	if err != nil {
		return err
	}
	namers, err := naming.NamersFromConfig(rules.ExternalRules, mapper)
	if err != nil {
		return err
	}
	api := prometheus.NewGenericAPIClient(&http.Client{Timeout: timeout}, base, nil)
	client := withoutDeadline{prometheus.NewClientForAPI(api, http.MethodGet)}
	ctx := genericapiserver.SetupSignalContext()
	provider, runner := external.NewExternalPrometheusProvider(client, namers, *relist, *age)
	runner.RunUntil(ctx.Done())
	adapter.WithExternalMetrics(provider)
	return adapter.Run(ctx)
}

// withoutDeadline asks without that of the request: its timeout would be negative, which Prometheus refuses
// (kubernetes-sigs/prometheus-adapter#710). The release is compiled with a library that prints none then.
type withoutDeadline struct{ prometheus.Client }

func (c withoutDeadline) Query(ctx context.Context, at model.Time, query prometheus.Selector) (prometheus.QueryResult, error) {
	return c.Client.Query(context.WithoutCancel(ctx), at, query)
}
