package callflows

import (
	"strconv"
	"time"

	"tandem/because"
)

// AppendCommands writes commands as json.Marshal does. A time beyond the year 9999, which json.Marshal refuses, becomes null.
func AppendCommands(out []byte, commands []Command) []byte {
	if commands == nil {
		return append(out, "null"...)
	}
	out = append(out, '[')
	for i := range commands {
		if i > 0 {
			out = append(out, ',')
		}
		out = commands[i].append(out)
	}
	return append(out, ']')
}

func (c *Command) append(out []byte) []byte {
	out = because.AppendText(append(out, `{"kind":`...), string(c.Kind))
	out = strconv.AppendInt(append(out, `,"n":`...), int64(c.N), 10)
	out = because.AppendText(append(out, `,"leg":`...), c.Leg)
	out = because.AppendGiven(out, `,"prompt":`, c.Prompt)
	out = because.AppendGiven(out, `,"language":`, c.Language)
	if c.Digits != nil {
		out = c.Digits.append(append(out, `,"digits":`...))
	}
	out = appendTargets(out, c.Targets)
	out = appendFlag(out, `,"in_order":true`, c.InOrder)
	out = appendFlag(out, `,"ringback":true`, c.Ringback)
	if c.CallerID != (CallerID{}) {
		out = c.CallerID.append(append(out, `,"caller_id":`...))
	}
	out = appendFlag(out, `,"early_ok":true`, c.EarlyOK)
	out = because.AppendGiven(out, `,"cause":`, c.Cause)
	out = appendList(out, `,"devices":`, c.Devices)
	out = appendFlag(out, `,"talking":true`, c.Talking)
	out = appendList(out, `,"trunks":`, c.Trunks)
	out = appendFlag(out, `,"hunting":true`, c.Hunting)
	out = appendNS(out, `,"progress_ns":`, c.Progress)
	out = because.AppendGiven(out, `,"location":`, c.Location)
	out = because.AppendGiven(out, `,"diverted_by":`, c.DivertedBy)
	out = appendCount(out, `,"diversions":`, c.Diversions)
	out = appendCount(out, `,"code":`, c.Code)
	out = appendNS(out, `,"wait_ns":`, c.Wait)
	out = c.appendRest(out)
	return append(out, '}')
}

// appendRest writes what few commands have.
func (c *Command) appendRest(out []byte) []byte {
	if c.Fetch != nil {
		out = appendSeldom(out, `,"fetch":`, c.Fetch)
	}
	if c.CDR != nil {
		out = c.CDR.Append(append(out, `,"cdr":`...))
	}
	if c.Other != nil {
		out = appendSeldom(out, `,"other":`, c.Other)
	}
	out = because.AppendGiven(out, `,"mode":`, string(c.Mode))
	out = because.AppendGiven(out, `,"for":`, string(c.For))
	if c.Wanted != nil {
		out = appendSeldom(out, `,"wanted":`, c.Wanted)
	}
	out = appendList(out, `,"prompts":`, c.Prompts)
	out = because.AppendGiven(out, `,"file":`, c.File)
	out = appendNS(out, `,"silence_ns":`, c.Silence)
	out = because.AppendGiven(out, `,"terminators":`, c.Terminators)
	if c.Recording != nil {
		out = appendSeldom(out, `,"recording":`, c.Recording)
	}
	out = because.AppendGiven(out, `,"box":`, c.Box)
	out = because.AppendGiven(out, `,"message":`, c.Message)
	out = because.AppendGiven(out, `,"mark":`, string(c.Mark))
	out = because.AppendGiven(out, `,"text":`, c.Text)
	out = because.AppendGiven(out, `,"room":`, c.Room)
	out = because.AppendGiven(out, `,"music":`, c.Music)
	if c.Setting != nil {
		out = appendSeldom(out, `,"setting":`, c.Setting)
	}
	out = because.AppendGiven(out, `,"node":`, c.Node)
	out = appendCount(out, `,"legs":`, c.Legs)
	return out
}

func (d *DigitsWanted) append(out []byte) []byte {
	out = strconv.AppendInt(append(out, `{"min":`...), int64(d.Min), 10)
	out = strconv.AppendInt(append(out, `,"max":`...), int64(d.Max), 10)
	out = because.AppendText(append(out, `,"allowed":`...), d.Allowed)
	out = because.AppendGiven(out, `,"terminator":`, d.Terminator)
	out = strconv.AppendInt(append(out, `,"first_ns":`...), int64(d.First), 10)
	out = strconv.AppendInt(append(out, `,"between_ns":`...), int64(d.Between), 10)
	out = appendFlag(out, `,"secret":true`, d.Secret)
	return append(out, '}')
}

func appendTargets(out []byte, targets []Target) []byte {
	if len(targets) == 0 {
		return out
	}
	out = append(out, `,"targets":`...)
	begin := byte('[')
	for i := range targets {
		out = targets[i].append(append(out, begin))
		begin = ','
	}
	return append(out, ']')
}

func (t *Target) append(out []byte) []byte {
	out = because.AppendText(append(out, `{"leg":`...), t.Leg)
	out = because.AppendText(append(out, `,"uri":`...), t.URI)
	out = because.AppendGiven(out, `,"edge":`, t.Edge)
	out = because.AppendGiven(out, `,"device":`, t.Device)
	out = because.AppendGiven(out, `,"trunk":`, t.Trunk)
	out = because.AppendGiven(out, `,"number":`, t.Number)
	out = because.AppendGiven(out, `,"between":`, t.Between)
	out = because.AppendGiven(out, `,"across":`, t.Across)
	out = appendNS(out, `,"delay_ns":`, t.Delay)
	out = appendNS(out, `,"wait_ns":`, t.Wait)
	if t.Accept != nil {
		out = appendSeldom(out, `,"accept":`, t.Accept)
	}
	out = appendFlag(out, `,"auto_answer":true`, t.AutoAnswer)
	if t.CallerID != nil {
		out = t.CallerID.append(append(out, `,"caller_id":`...))
	}
	if t.Diverted != nil {
		out = appendSeldom(out, `,"diverted":`, t.Diverted)
	}
	return append(out, '}')
}

func (c *CallerID) append(out []byte) []byte {
	begin := len(out)
	out = because.AppendGiven(out, `,"number":`, c.Number)
	out = because.AppendGiven(out, `,"name":`, c.Name)
	out = appendFlag(out, `,"nameless":true`, c.Nameless)
	out = because.AppendGiven(out, `,"asserted":`, c.Asserted)
	out = appendFlag(out, `,"private":true`, c.Private)
	out = because.AppendGiven(out, `,"domain":`, c.Domain)
	if len(out) == begin {
		return append(out, "{}"...)
	}
	out[begin] = '{' // the first comma's place
	return append(out, '}')
}

// appendNS writes a duration in nanoseconds, unless it is zero.
func appendNS(out []byte, name string, d time.Duration) []byte {
	if d == 0 {
		return out
	}
	return strconv.AppendInt(append(out, name...), int64(d), 10)
}
