package messages

import "strings"

// KeepSDP keeps of a session description (RFC 8866) what another node needs in order to go on with it: the origin with its
// id and version (RFC 3264 8), connections, every media line, and what says how audio is coded, which way it flows and by
// which suite it is encrypted. Keys are left out. What is longer than MaxDialogSDP is cut down to origin and media lines,
// and to nothing if that does not help.
func KeepSDP(sdp string) string {
	if kept := keepLines(sdp, sdpLine); len(kept) <= MaxDialogSDP {
		return kept
	}
	if kept := keepLines(sdp, func(line string) string {
		if strings.HasPrefix(line, "o=") || strings.HasPrefix(line, "m=") {
			return line
		}
		return ""
	}); len(kept) <= MaxDialogSDP {
		return kept
	}
	return ""
}

// keepLines gives the lines that keep leaves something of, each ended by a newline.
func keepLines(sdp string, keep func(line string) string) string {
	var out strings.Builder
	for len(sdp) > 0 {
		var line string
		line, sdp, _ = strings.Cut(sdp, "\n")
		if line = keep(strings.TrimSuffix(line, "\r")); line != "" {
			out.WriteString(line)
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// sdpLine is a line as it is kept, or nothing.
func sdpLine(line string) string {
	switch {
	case len(line) < 2 || line[1] != '=':
		return ""
	case line[0] == 'o', line[0] == 'c', line[0] == 'm':
		return line
	case line[0] != 'a':
		return ""
	}
	name, value, _ := strings.Cut(line[2:], ":")
	switch name {
	case "rtpmap", "fmtp", "ptime", "maxptime", "sendrecv", "sendonly", "recvonly", "inactive":
		return line
	case "crypto": // RFC 4568: tag, suite, and the keys that stay out
		fields := strings.Fields(value)
		return "a=crypto:" + strings.Join(fields[:min(2, len(fields))], " ")
	}
	return ""
}
