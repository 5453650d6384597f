package stack

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// tree returns a process and all its descendants, parents first. PostgreSQL's
// and Erlang's children lead process groups of their own, so that a group
// alone would miss them.
func tree(pid int) []int {
	children := make(map[int][]int)
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return []int{pid}
	}
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if parent, ok := parentOf(child); ok {
			children[parent] = append(children[parent], child)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// parentOf reads field 4 of proc(5)'s stat. The name in field 2 may hold
// spaces and brackets, so fields are counted from its last closing bracket.
func parentOf(pid int) (int, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return 0, false
	}
	parent, err := strconv.Atoi(fields[1])
	return parent, err == nil
}

// signalTree sends a signal to a process and all its descendants. A process
// that has ended meanwhile is no error.
func signalTree(pid int, signal syscall.Signal) {
	for _, member := range tree(pid) {
		_ = syscall.Kill(member, signal)
	}
}
