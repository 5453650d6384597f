package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// policyFile decides, while packages are being configured, whether their
// services may be started (invoke-rc.d(8), deb-systemd-invoke(1p)).
const policyFile = "/usr/sbin/policy-rc.d"

// policyDenied is the exit status by which a policy forbids an action.
const policyDenied = 101

// clusterFile keeps postgresql-common from creating and registering a cluster
// "main" of its own when the server package is installed.
const (
	clusterFolder = "/etc/postgresql-common/createcluster.d"
	clusterFile   = clusterFolder + "/tandem.conf"
)

// policyMark tells our policy from anybody else's.
const policyMark = "# Put here by Tandem while it installs packages."

// policy forbids services to start as long as process %d lives. A policy that
// was left behind by a killed process therefore forbids nothing.
const policy = `#!/bin/sh
` + policyMark + `
kill -0 %d 2>/dev/null && exit 101
exit 0
`

// quiet is the time during which installed services stay down.
type quiet struct {
	files []string // ours, to be removed
}

// keepServicesDown sees to it that installing packages starts no service. A
// policy that the machine already has is respected: it must forbid as well.
func keepServicesDown(programs []Program) (quiet, error) {
	var q quiet
	content, err := os.ReadFile(policyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && strings.Contains(string(content), policyMark):
		if err := os.WriteFile(policyFile, fmt.Appendf(nil, policy, os.Getpid()), 0o755); err != nil {
			return q, fmt.Errorf("keep services down during installation: %w", err)
		}
		q.files = append(q.files, policyFile)
	case err != nil:
		return q, fmt.Errorf("keep services down during installation: %w", err)
	default:
		if !policyForbids() {
			return q, fmt.Errorf("%s lets packages start their services: install the packages by hand, or make it exit 101 first", policyFile)
		}
	}
	if !slices.Contains(programs, PostgreSQL) {
		return q, nil
	}
	// Best effort: an unwanted cluster would be there, but would not run.
	if os.MkdirAll(clusterFolder, 0o755) == nil {
		if os.WriteFile(clusterFile, []byte("create_main_cluster = false\n"), 0o644) == nil {
			q.files = append(q.files, clusterFile)
		}
	}
	return q, nil
}

func policyForbids() bool {
	err := exec.Command(policyFile, "postgresql", "start").Run()
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == policyDenied
}

// lift takes away what keepServicesDown put there.
func (q quiet) lift() {
	for _, file := range q.files {
		_ = os.Remove(file)
	}
}
