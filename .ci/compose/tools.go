//go:build tools

// Package tools locks the sources of the Docker Compose plugin for machines without a package of it:
// `go install` refuses the module because of its `exclude` lines.
package tools

import _ "github.com/docker/compose/v2/cmd"
