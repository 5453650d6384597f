package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processAt finds the process at the other end of a connection on this machine (proc(5)); 0 when there is none. A listing of
// /proc may miss what changes meanwhile, so it is made more than once.
func processAt(conn net.Conn) int {
	const attempts = 20
	near, ok := conn.RemoteAddr().(*net.TCPAddr)
	here, okHere := conn.LocalAddr().(*net.TCPAddr)
	if !ok || !okHere {
		return 0
	}
	for range attempts {
		inode := inodeOf(fmt.Sprintf(":%04X", near.Port), fmt.Sprintf(":%04X", here.Port))
		found, _ := filepath.Glob("/proc/[0-9]*/fd/*")
		for _, path := range found {
			if to, err := os.Readlink(path); err == nil && to == "socket:["+inode+"]" {
				pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
				return pid
			}
		}
	}
	return 0
}

// inodeOf finds a socket by the ends of its local and its remote address as /proc/net/tcp writes them.
func inodeOf(local, remote string) string {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) > 9 && strings.HasSuffix(fields[1], local) && strings.HasSuffix(fields[2], remote) && fields[9] != "0" {
			return fields[9]
		}
	}
	return ""
}
