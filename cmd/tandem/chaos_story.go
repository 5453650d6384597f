package main

import (
	"fmt"
	"strings"
	"time"
)

// remember keeps what happened to a call.
func (t *tap) remember(call string, pid int, what string) {
	t.history[call] = append(t.history[call], fmt.Sprintf("%s process %d %s", time.Now().Format("15:04:05.000"), pid, what))
}

// tell adds to what happened to a call.
func (t *tap) tell(is caught, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remember(is.call, is.pid, what)
}

// story tells what happened to a call.
func (t *tap) story(call string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.history[call], "\n    ")
}

// orderOf names an order in a few words.
func orderOf(command string) string {
	if app := header([]byte(command), "execute-app-name"); app != "" {
		return app + " " + header([]byte(command), "event-uuid")
	}
	line, _, _ := strings.Cut(command, "\n")
	return line
}
