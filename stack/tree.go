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

// frozen says whether no thread of a process and its descendants runs (state T or Z, proc(5)).
func frozen(pid int) bool {
	for _, member := range tree(pid) {
		threads, _ := os.ReadDir("/proc/" + strconv.Itoa(member) + "/task") // one that has ended meanwhile has none
		for _, thread := range threads {
			fields, ok := statOf(strconv.Itoa(member) + "/task/" + thread.Name())
			if ok && fields[0] != "T" && fields[0] != "Z" && fields[0] != "X" {
				return false
			}
		}
	}
	return true
}

// parentOf reads field 4 of proc(5)'s stat.
func parentOf(pid int) (int, bool) {
	fields, ok := statOf(strconv.Itoa(pid))
	if !ok {
		return 0, false
	}
	parent, err := strconv.Atoi(fields[1])
	return parent, err == nil
}

// statOf reads proc(5)'s stat from field 3 on. The name in field 2 may hold
// spaces and brackets, so fields are counted from its last closing bracket.
func statOf(path string) ([]string, bool) {
	stat, err := os.ReadFile("/proc/" + path + "/stat")
	if err != nil {
		return nil, false
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	return fields, len(fields) >= 2
}

// signalTree sends a signal to a process and all its descendants. A process
// that has ended meanwhile is no error.
func signalTree(pid int, signal syscall.Signal) {
	for _, member := range tree(pid) {
		_ = syscall.Kill(member, signal)
	}
}
