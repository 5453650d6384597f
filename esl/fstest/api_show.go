package fstest

import (
	"strings"
	"time"
)

// columns of "show channels", in the core database's order.
const channelColumns = "uuid,direction,created,created_epoch,name,state,cid_name,cid_num,ip_addr,dest,application," +
	"application_data,dialplan,context,read_codec,read_rate,read_bit_rate,write_codec,write_rate,write_bit_rate,secure," +
	"hostname,presence_id,presence_data,accountcode,callstate,callee_name,callee_num,callee_direction,call_uuid," +
	"sent_callee_name,sent_callee_num,initial_cid_name,initial_cid_num,initial_ip_addr,initial_dest,initial_dialplan,initial_context"

// callColumns of "show calls", for the A-leg and, with b_ before, the B-leg.
const callColumns = "uuid,direction,created,created_epoch,name,state,cid_name,cid_num,ip_addr,dest,presence_id," +
	"presence_data,accountcode,callstate,callee_name,callee_num,callee_direction,call_uuid,hostname,sent_callee_name,sent_callee_num"

// apiShow is "show channels|calls|bridged_calls|detailed_calls [count] [as json]".
func apiShow(s *Server, arguments string) string {
	words := strings.Fields(strings.ToLower(arguments) + " -")
	var rows [][]field
	switch words[0] {
	case "channels":
		for _, c := range s.order {
			rows = append(rows, pick(c.row(), channelColumns, ""))
		}
	case "calls", "detailed_calls":
		rows = s.calls(true)
	case "bridged_calls", "detailed_bridged_calls":
		rows = s.calls(false)
	default:
		return "-ERR Invalid command\n"
	}
	switch {
	case strings.HasSuffix(arguments, "as json"):
		return rowsJSON(rows)
	case words[1] == "count":
		return "\n" + itoa(len(rows)) + " total.\n"
	}
	var b strings.Builder
	for i, row := range rows {
		names, values := make([]string, len(row)), make([]string, len(row))
		for j, f := range row {
			names[j], values[j] = f.name, f.value
		}
		if i == 0 {
			b.WriteString(strings.Join(names, ",") + "\n")
		}
		b.WriteString(strings.Join(values, ",") + "\n")
	}
	return b.String() + "\n" + itoa(len(rows)) + " total.\n"
}

// rowsJSON is how FreeSWITCH writes a table; an empty one has a space in it.
func rowsJSON(rows [][]field) string {
	if len(rows) == 0 {
		return `{"row_count": 0}`
	}
	var b strings.Builder
	b.WriteString(`{"row_count":` + itoa(len(rows)) + `,"rows":[`)
	for i, row := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(jsonObject(row))
	}
	return b.String() + "]}"
}

// calls lists bridges once and, when alone says so, the channels without one.
func (s *Server) calls(alone bool) [][]field {
	var rows [][]field
	for _, c := range s.order {
		switch {
		case c.partner != nil && c.originated:
			row := pick(c.row(), callColumns, "")
			row = append(row, pick(c.partner.row(), callColumns, "b_")...)
			rows = append(rows, append(row, field{"call_created_epoch", itoa(int(c.times.created.Unix()))}))
		case c.partner == nil && alone:
			rows = append(rows, pick(c.row(), callColumns, ""))
		}
	}
	return rows
}

// pick takes the columns of a row in their order.
func pick(row map[string]string, columns, prefix string) []field {
	names := strings.Split(columns, ",")
	fields := make([]field, 0, len(names))
	for _, name := range names {
		fields = append(fields, field{prefix + name, row[name]})
	}
	return fields
}

// row is one channel as the core database has it.
func (c *channel) row() map[string]string {
	p := &c.profile
	codec, rate, bits := "", "", ""
	if c.media {
		codec, rate, bits = c.leg.codecName(), "8000", "64000"
	}
	sentName, _ := c.vars.get("last_sent_callee_id_name")
	sentNumber, _ := c.vars.get("last_sent_callee_id_number")
	application, data := c.lastApp.name, c.lastApp.value
	return map[string]string{
		"uuid": c.uuid, "direction": c.direction, "created": c.times.created.Format(time.DateTime),
		"created_epoch": itoa(int(c.times.created.Unix())), "name": c.name, "state": c.running,
		"cid_name": p.callerName, "cid_num": p.callerNumber, "ip_addr": p.networkAddr, "dest": p.destination,
		"application": application, "application_data": data, "dialplan": p.dialplan, "context": p.context,
		"read_codec": codec, "read_rate": rate, "read_bit_rate": bits,
		"write_codec": codec, "write_rate": rate, "write_bit_rate": bits,
		"hostname": c.srv.options.Name, "callstate": c.callState,
		"callee_name": p.calleeName, "callee_num": p.calleeNumber, "callee_direction": direction(sentName),
		"call_uuid": c.callUUID, "sent_callee_name": sentName, "sent_callee_num": sentNumber,
		"initial_cid_name": p.origCallerName, "initial_cid_num": p.origCallerNum, "initial_ip_addr": p.networkAddr,
		"initial_dest": p.destination, "initial_dialplan": p.dialplan, "initial_context": p.context,
	}
}

func direction(sentName string) string {
	if sentName == "" {
		return ""
	}
	return "SEND"
}
