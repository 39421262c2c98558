"""Comments come in by themselves: webhook receivers, pollers and streams behind one seam."""
