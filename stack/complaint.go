package stack

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Bounds of what is quoted from a log.
const (
	complaintReads = 256 << 10
	complaintRunes = 300
)

// complaint is one line: what a process's log says about why it failed, and
// where the rest is.
func (p *Process) complaint() string {
	line := "its log is empty"
	if file, err := os.Open(p.log); err == nil {
		defer file.Close()
		text, _ := io.ReadAll(io.NewSectionReader(file, p.from, complaintReads))
		if worst := worstLine(string(text)); worst != "" {
			line = worst
		}
		if strings.Contains(string(text), "ddress already in use") {
			line += " (a port is in use: end the program that has it, or choose another port)"
		}
	}
	return fmt.Sprintf("%s; log: %s", line, p.log)
}

// worstLine picks the line by which a person would begin: the first of the
// highest severity, or else the last line. The words are those of PostgreSQL,
// Kamailio, FreeSWITCH and RabbitMQ.
func worstLine(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	for _, words := range [][]string{
		{"FATAL", "PANIC", "CRITICAL", "[CRIT]"}, {"ERROR", "[ERR]", "[error]", "BOOT FAILED", "error:"},
	} {
		for _, line := range lines {
			for _, word := range words {
				if strings.Contains(line, word) {
					return shorten(line)
				}
			}
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return shorten(lines[len(lines)-1])
}

func shorten(line string) string {
	if runes := []rune(line); len(runes) > complaintRunes {
		return string(runes[:complaintRunes]) + "..."
	}
	return line
}
