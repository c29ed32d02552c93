"""Where knowledge comes from: folders, repositories, sites and the servers that hold documents."""
