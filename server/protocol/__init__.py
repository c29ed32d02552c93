"""The LangGraph wire: what the official clients speak, endpoint by endpoint."""
