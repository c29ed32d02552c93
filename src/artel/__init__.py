"""Artel: an open, self-hosted LangGraph agent server with durable workflows."""
