"""Who should go next: pure functions from names, requests and views to an order of routes."""
