package esl

import "strings"

// pageProfile is the conference profile of freeswitch-conf for announcements: without sounds or controls.
const pageProfile = "page"

// Page takes a channel into an announcement: who is in it speaks to all whom OriginateIntoPage brings in, and when this channel
// leaves it is over for all (mod_conference, endconf). The application ends when the channel leaves.
func Page(uuid, id, name string) Message {
	b := execute("conference", uuid, id).add(argHeader).arg("name", name, checkPageName)
	return finishExecute(b.add("@"+pageProfile+"+flags{endconf}"), id, true)
}

// OriginateIntoPage dials one leg and takes it into an announcement as a listener. It answers as Originate does: use Detached.
func OriginateIntoPage(dial DialString, name string) API {
	b := newBuilder("originate").add("originate '")
	dial.render(b)
	b.add("' &conference(").arg("name", name, checkPageName)
	return b.add("@" + pageProfile + "+flags{mute})").api()
}

// Detached starts an api command on a thread of its own (bgapi), and does not wait for its result. The reply says that FreeSWITCH
// took it.
func Detached(a API) Message {
	return Message{name: a.name, text: "bgapi " + a.line + "\n\n", err: a.err}
}

func checkPageName(s string) *offence {
	return checkChars(s, maxTokenBytes, func(c byte) bool { return isAlnum(c) || strings.IndexByte("-_", c) >= 0 })
}
