package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	rest "tandem/provisioning/client"
)

// clientAnswer is what the Go client reads an operation's answer into. Its methods are named as the operations are: list-users is ListUsers.
func clientAnswer(t *testing.T, op *huma.Operation) reflect.Type {
	t.Helper()
	name := strings.ReplaceAll(op.OperationID, "-", "")
	of := reflect.TypeFor[*rest.Client]()
	for i := range of.NumMethod() {
		method := of.Method(i)
		if !strings.EqualFold(method.Name, name) {
			continue
		}
		if answer := method.Type.Out(0); answer.Kind() == reflect.Pointer {
			body, _ := answer.Elem().FieldByName("Body")
			return body.Type
		}
		return nil // a stream
	}
	t.Errorf("the Go client has no method for it: make generate")
	return nil
}

// clientReads checks that the Go client loses nothing of an answer: each member has its place.
func clientReads(t *testing.T, op *huma.Operation, body []byte) {
	t.Helper()
	into := clientAnswer(t, op)
	if into == nil || into.Kind() != reflect.Struct || len(body) == 0 {
		return
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(reflect.New(into).Interface()); err != nil {
		t.Errorf("the Go client reads %v: %v", into, err)
	}
}
