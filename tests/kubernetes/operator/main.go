// Reads objects for the Prometheus operator, as JSON on standard input, one a line, into the
// operator's own types. Says what it cannot place and exits with 1.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	kjson "sigs.k8s.io/json"
)

func main() {
	types := map[string]func() any{
		v1.PodMonitorsKind:     func() any { return &v1.PodMonitor{} },
		v1.PrometheusRuleKind:  func() any { return &v1.PrometheusRule{} },
		v1.ServiceMonitorsKind: func() any { return &v1.ServiceMonitor{} },
	}
	failed := false
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var head struct{ Kind string }
		err := json.Unmarshal(lines.Bytes(), &head)
		if make, known := types[head.Kind]; err == nil && known {
			var unplaced []error
			unplaced, err = kjson.UnmarshalStrict(lines.Bytes(), make())
			err = errors.Join(append(unplaced, err)...)
		} else if err == nil {
			err = fmt.Errorf("a kind that is not checked")
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", head.Kind, err)
			failed = true
		}
	}
	if failed || lines.Err() != nil {
		os.Exit(1)
	}
}
