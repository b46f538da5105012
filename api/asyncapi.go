package api

import (
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"earshot/realtime/protocol"
)

// node is a piece of a JSON document.
type node = map[string]any

const (
	taggingParameter = "tagging"
	externalTagging  = "Events as serde tags enums by default: {\"DraftChanged\":{\"text\":\"…\"}}, or the bare name of one without data, " +
		"as JSON in text or binary frames. There are DraftChanged and FeedbackSubmitted (with an id of its own), " +
		"and Connected, DraftAccepted, FeedbackReceived and Error in answer."
)

// asyncDocument is the AsyncAPI 3.0 description of both sockets. Its schemas are
// those of the OpenAPI document, so that there is one source for both.
func asyncDocument(doc *huma.OpenAPI) node {
	messages, schemas := node{}, node{}
	visitorSends := addMessages(messages, "VisitorClient", protocol.VisitorClient.Events())
	visitorHears := addMessages(messages, "VisitorServer", protocol.VisitorServer.Events())
	dashboardSends := addMessages(messages, "DashboardClient", protocol.DashboardClient.Events())
	dashboardHears := addMessages(messages, "DashboardServer", protocol.DashboardServer.Events())

	used := map[string]bool{}
	for _, union := range unions() {
		reach(doc.Components.Schemas, ref(union), used)
		for _, option := range doc.Components.Schemas.Map()[union].OneOf {
			reach(doc.Components.Schemas, option, used)
		}
	}
	for name := range used {
		schemas[name] = doc.Components.Schemas.Map()[name]
	}
	for _, union := range unions() {
		// AsyncAPI's discriminator is a member's name; OpenAPI's has a mapping beside it.
		schema := doc.Components.Schemas.Map()[union]
		schemas[union] = node{"oneOf": schema.OneOf, "discriminator": schema.Discriminator.PropertyName}
	}
	return node{
		"asyncapi": "3.0.0",
		"info": node{
			"title": "Earshot's sockets", "version": doc.Info.Version, "license": node{"name": "Apache-2.0"},
			"description": "One event a frame: as JSON in text frames (sub-protocol " + protocol.SubprotocolJSON + ", which is meant where none is offered), " +
				"or the same as CBOR in binary frames (" + protocol.SubprotocolCBOR + "). A seq marks what is in the project's log; anything else may be dropped. " +
				"After a close code of 4000 to 4499 a client reconnects, after one from 4500 on it stops.",
		},
		"x-close-codes":      closeCodes(),
		"defaultContentType": "application/json",
		"channels": node{
			"visitor": channel("/w/{key}/socket", "A visitor's socket", node{"key": node{"description": "The project's public key"}},
				node{taggingParameter: node{"type": "string", "enum": []string{protocol.TaggingExternal}, "description": externalTagging}},
				visitorSends, visitorHears),
			"dashboard": channel(ticketPath, "A dashboard's socket", nil,
				node{"ticket": node{"type": "string", "description": "From POST /api/v1/socket/tickets"}}, dashboardSends, dashboardHears),
		},
		"operations": node{
			"visitorSends":   exchange("receive", "visitor", visitorSends),
			"visitorHears":   exchange("send", "visitor", visitorHears),
			"dashboardSends": exchange("receive", "dashboard", dashboardSends),
			"dashboardHears": exchange("send", "dashboard", dashboardHears),
		},
		"components": node{"messages": messages, "schemas": schemas},
	}
}

func addMessages(messages node, sum string, events []protocol.EventType) (names []string) {
	for _, event := range events {
		name := sum + event.Name
		messages[name] = node{"name": event.Name, "title": event.Name, "payload": refNode("schemas", name)}
		names = append(names, name)
	}
	return names
}

// closeCodes is an extension: AsyncAPI has no word for how a socket ends.
func closeCodes() node {
	codes := node{}
	for _, code := range protocol.CloseCodes() {
		codes[strconv.Itoa(int(code))] = code.Reason()
	}
	return codes
}

func channel(address, title string, parameters, query node, sides ...[]string) node {
	messages := node{}
	for _, names := range sides {
		for _, name := range names {
			messages[name] = refNode("messages", name)
		}
	}
	c := node{"address": address, "title": title, "messages": messages,
		"bindings": node{"ws": node{
			"method": "GET", "query": node{"type": "object", "properties": query},
			"headers": node{"type": "object", "properties": node{"Sec-WebSocket-Protocol": node{
				"type": "string", "enum": []string{protocol.SubprotocolJSON, protocol.SubprotocolCBOR},
			}}},
		}}}
	if parameters != nil {
		c["parameters"] = parameters
	}
	return c
}

// exchange is one direction of a channel, from the server's point of view.
func exchange(action, channel string, names []string) node {
	refs := make([]node, len(names))
	for i, name := range names {
		refs[i] = node{"$ref": "#/channels/" + channel + "/messages/" + name}
	}
	return node{"action": action, "channel": node{"$ref": "#/channels/" + channel}, "messages": refs}
}

func refNode(kind, name string) node { return node{"$ref": "#/components/" + kind + "/" + name} }
